//! Where two answers of plugins differ: path by path, digit by digit.
//!
//! Numbers are compared as the decimals they are written as, so that nothing is lost to
//! floats. Of two lists the items with the same name are compared (`compare/pairs.rs`).

mod money;
mod pairs;

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use cambist_contract::{Decimal, Json, stage::Stage};
use cambist_journal::comparison::Difference;
use serde_json::value::RawValue;

use self::{money::Words, pairs::Pairs};

/// Differences of one call that are kept; more are counted. A reader sees by the first ones
/// what has changed.
const KEPT: usize = 32;

/// Bytes that are kept of a value: a name or an amount whole, of a document its beginning.
const SHOWN: usize = 200;

/// Levels that are looked into; what lies deeper is compared as text. What plugins answer
/// is refused when it is deeper, and `serde_json` reads no more.
const DEEPEST: usize = 120;

/// The first differences of what a stage made, and how many there are besides.
pub(crate) fn differences(stage: Stage, live: &Json, shadow: &Json) -> (Vec<Difference>, u64) {
    let mut found = Found {
        words: Words::of(stage),
        ..Found::default()
    };
    if live.as_str() != shadow.as_str()
        && let (Ok(live), Ok(shadow)) = (read(live.as_str()), read(shadow.as_str()))
    {
        found.compare(&mut Vec::new(), Some(live), Some(shadow));
    }
    (found.kept, found.more)
}

fn read(text: &str) -> serde_json::Result<&RawValue> {
    serde_json::from_str(text)
}

/// A step on the way to a value.
enum Step<'a> {
    Field(Cow<'a, str>),
    Item(usize),
}

/// A value, one level of it.
enum Level<'a> {
    Object(BTreeMap<Cow<'a, str>, &'a RawValue>),
    List(Vec<&'a RawValue>),
    /// Anything else, and what is too deep: compared as text.
    Leaf(&'a str),
}

fn level(value: &RawValue, depth: usize) -> Level<'_> {
    let text = value.get().trim();
    let leaf = Level::Leaf(text);
    match text.as_bytes().first() {
        _ if depth >= DEEPEST => leaf,
        Some(b'{') => serde_json::from_str(text).map_or(leaf, Level::Object),
        Some(b'[') => serde_json::from_str(text).map_or(leaf, Level::List),
        _ => leaf,
    }
}

#[derive(Default)]
struct Found {
    words: Words,
    kept: Vec<Difference>,
    more: u64,
}

impl Found {
    fn compare<'a>(
        &mut self,
        path: &mut Vec<Step<'a>>,
        live: Option<&'a RawValue>,
        shadow: Option<&'a RawValue>,
    ) {
        let (Some(before), Some(after)) = (live, shadow) else {
            return self.differs(path, live, shadow);
        };
        match (level(before, path.len()), level(after, path.len())) {
            (Level::Object(before), Level::Object(mut after)) => {
                for (name, value) in before {
                    let other = after.remove(&name);
                    self.within(path, Step::Field(name), Some(value), other);
                }
                for (name, value) in after {
                    self.within(path, Step::Field(name), None, Some(value));
                }
            }
            (Level::List(before), Level::List(after)) => {
                let Pairs { pairs, moved } = Pairs::of(&before, &after);
                if moved {
                    self.differs(path, live, shadow);
                }
                for (place, value, other) in pairs {
                    self.within(path, Step::Item(place), value, other);
                }
            }
            (Level::Leaf(before), Level::Leaf(after)) if is_same(before, after) => {}
            _ => self.differs(path, live, shadow),
        }
    }

    fn within<'a>(
        &mut self,
        path: &mut Vec<Step<'a>>,
        step: Step<'a>,
        live: Option<&'a RawValue>,
        shadow: Option<&'a RawValue>,
    ) {
        path.push(step);
        self.compare(path, live, shadow);
        path.pop();
    }

    /// Whether something within a value is about money.
    fn holds_money(&self, value: &RawValue, depth: usize) -> bool {
        match level(value, depth) {
            Level::Object(fields) => fields.into_iter().any(|(name, value)| {
                let is_money = self.words.is_money_field(&name) && value.get() != "null";
                is_money || self.holds_money(value, depth + 1)
            }),
            Level::List(items) => items.into_iter().any(|item| self.holds_money(item, depth + 1)),
            Level::Leaf(_) => false,
        }
    }

    fn differs(&mut self, path: &[Step<'_>], live: Option<&RawValue>, shadow: Option<&RawValue>) {
        let is_there = |value: &&RawValue| value.get() != "null";
        let whole = match (live.filter(is_there), shadow.filter(is_there)) {
            // with a line its price is gone, and with a total its amount
            (Some(value), None) | (None, Some(value)) => self.holds_money(value, path.len()),
            _ => false,
        };
        let money = whole || self.words.is_money(path);
        // one about money is never among those that are only counted, as long as there is room
        if self.kept.len() >= KEPT {
            self.more += 1;
            let place = self.kept.iter().rposition(|kept| !kept.money);
            match place {
                Some(place) if money => drop(self.kept.remove(place)),
                _ => return,
            }
        }
        self.kept.push(Difference {
            path: written(path),
            live: live.map(shown),
            shadow: shadow.map(shown),
            money,
        });
    }
}

/// Whether two values without parts are the same, however they are written.
fn is_same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let text = |value: &str| serde_json::from_str::<String>(value).ok();
    let number = |value: &str| {
        let value = value.trim_start_matches('-');
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        plain.then(|| value.parse::<Decimal>().ok()).flatten()
    };
    let same_sign = one.starts_with('-') == other.starts_with('-');
    match (text(one), text(other)) {
        (Some(one), Some(other)) => one == other,
        _ => same_sign && number(one).is_some() && number(one) == number(other),
    }
}

fn written(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Field(name) if text.is_empty() => text.push_str(name),
            Step::Field(name) => {
                text.push('.');
                text.push_str(name);
            }
            // writing to a text does not fail
            Step::Item(place) => drop(write!(text, "[{place}]")),
        }
    }
    text
}

fn shown(value: &RawValue) -> String {
    let text = value.get();
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let cut = text.floor_char_boundary(SHOWN);
    format!("{}…", text.get(..cut).unwrap_or_default())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn of(live: &str, shadow: &str) -> Vec<(String, bool)> {
        let json = |text: &str| Json::parse(text.to_owned()).unwrap();
        let (kept, more) = differences(Stage::Read, &json(live), &json(shadow));
        assert_eq!(more, 0);
        kept.into_iter().map(|it| (it.path, it.money)).collect()
    }

    #[test]
    fn a_difference_is_told_by_its_path_and_whether_it_is_money() {
        let live = r#"{"lines":[{"id":"1","unit-price":"10.00"},{"id":"2"}],"notes":["a"],"net":"3"}"#;
        let shadow = r#"{"net":"3","lines":[{"id":"1","unit-price":"10.01"},{"id":"3"}],"notes":["a","b"]}"#;
        let found = of(live, shadow);
        let expected = [
            ("lines[0].unit-price", true),
            ("lines[1]", false),
            ("lines[1]", false),
            ("notes[1]", false),
        ];
        let told: Vec<_> = found
            .iter()
            .map(|(path, money)| (path.as_str(), *money))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_there_on_one_side_alone_is_money_where_some_is_in_it() {
        let of_totals = |totals: &str| of(r#"{"totals":[{"code":"S","basis":"a","amount":"1"}]}"#, totals);
        let told = |path: &str, money| [(path.to_owned(), money)];
        let basis = r#"{"totals":[{"code":"S","basis":"b","amount":"1"}]}"#;
        assert_eq!(of_totals(basis), told("totals[0].basis", false));
        assert_eq!(of_totals(r#"{"totals":[]}"#), told("totals[0]", true));
        assert_eq!(of_totals(r#"{"totals":null}"#), told("totals", true));
        assert_eq!(
            of(r#"{"lines":[{"name":"a","amount":null}]}"#, r#"{"lines":[]}"#),
            told("lines[0]", false)
        );
        // two whose order alone is another are worth the same
        let list = |ids: [u32; 2]| json!(ids.map(|id| json!({"id": id, "amount": id}))).to_string();
        assert_eq!(of(&list([1, 2]), &list([2, 1])), told("", false));
    }

    #[test]
    fn an_item_that_was_put_in_or_moved_is_one_difference() {
        let list = |ids: &[u32]| {
            let item = |id: &u32| json!({"id": id, "price": id * 2});
            json!(ids.iter().map(item).collect::<Vec<_>>()).to_string()
        };
        assert_eq!(of(&list(&[1, 2]), &list(&[7, 1, 2])), [("[0]".to_owned(), false)]);
        assert_eq!(of(&list(&[1, 2]), &list(&[2])), [("[0]".to_owned(), false)]);
        assert_eq!(of(&list(&[1, 2]), &list(&[2, 1])), [(String::new(), false)]);
        // changes and commands are named further in
        let change = |id: u32, name: &str| {
            let account = json!({"ref": {"kind": "account", "id": id}, "name": name});
            json!({"kind": "upsert", "entity": {"account": account}})
        };
        let one = json!([change(1, "a")]).to_string();
        let more = json!([change(2, "b"), change(1, "c")]).to_string();
        let told = [
            ("[0].entity.account.name".to_owned(), false),
            ("[0]".to_owned(), false),
        ];
        assert_eq!(of(&one, &more), told);
        // two with one name are told apart by their places
        assert_eq!(of(&list(&[1, 1]), &list(&[1, 1, 1])), [("[2]".to_owned(), false)]);
    }

    #[test]
    fn the_way_a_value_is_written_is_no_difference() {
        assert_eq!(of(r#"{"a": 1.50, "b":"\u00e9"}"#, r#"{"b":"é","a":1.5}"#), []);
        assert_eq!(of("-0.5", "0.5"), [(String::new(), false)]);
        assert_eq!(of("[1.5]", r#"["1.5"]"#), [("[0]".to_owned(), false)]);
    }

    #[test]
    fn digits_that_a_float_does_not_hold_are_seen() {
        assert_eq!(of("12345678901234567.01", "12345678901234567.02").len(), 1);
    }

    #[test]
    fn money_is_kept_before_all_else() {
        let object = |value: i32| {
            let mut fields: BTreeMap<String, i32> = (0..100).map(|n| (format!("a{n:03}"), value)).collect();
            fields.insert("gross".to_owned(), value);
            Json::of(&fields).unwrap()
        };
        let (kept, more) = differences(Stage::Read, &object(1), &object(2));
        assert_eq!((kept.len(), more), (KEPT, 101 - KEPT as u64));
        assert!(kept.iter().any(|it| it.path == "gross" && it.money));
    }

    #[test]
    fn what_is_long_is_cut_and_what_is_deep_is_text() {
        let long = |letter: &str| Json::from(json!({"x": letter.repeat(1_000)}));
        let (kept, _) = differences(Stage::Read, &long("ä"), &long("ö"));
        assert!(kept.iter().all(|it| it.live.as_ref().unwrap().len() <= SHOWN + 3));
        let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(121), "]".repeat(121));
        assert_eq!(of(&deep("1"), &deep("2")).len(), 1);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-c\"\\\\é]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("a|b|id", inner, 0..3).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        /// It finds nothing exactly when there is nothing.
        #[test]
        fn two_values_differ_or_are_the_same(live in value(), shadow in value()) {
            let (kept, more) = differences(Stage::Read, &Json::from(&live), &Json::from(&shadow));
            prop_assert_eq!(kept.is_empty() && more == 0, live == shadow);
        }
    }
}
