//! A JSON text as a flat list of its values, made in one pass.
//!
//! A mapping asks for a few dozen fields of a document that is three or four
//! levels deep. Reading it level by level goes over the text once for each
//! level; building a tree takes memory for every value nobody asks for. Here
//! the text is checked and cut up once, and each value remembers where it
//! stands and where the next one begins. On the benchmark's deals that is a
//! fifth of what `serde_json`'s raw values took, in a plugin as natively.
//!
//! Beside each value stands a byte made of its name, and a name is looked up in
//! eight of these at once.
//!
//! No crate was found that does it so: `jiter` and `simd-json` make floats of
//! numbers; `nojson` keeps ranges as this does, but goes down by recursion
//! without a bound, which a message from outside may not cause.
//!
//! Which texts are JSON, and what they say, is held to `serde_json` by property
//! tests. Escapes are taken apart only where a text has some, by `serde_json`.

mod scan;

use std::borrow::Cow;

use self::scan::Scan;
pub(crate) use self::scan::plain;

/// The deepest nesting that is read: `serde_json`'s own bound, and far above any
/// business object. A deeper text is refused as if it were no JSON.
pub(crate) const MAX_DEPTH: u32 = 127;

/// Tags that stand before the first node's, so that eight can always be read.
const TAGS_BEFORE: usize = 8;

/// Stands where a value has none around it.
const NONE: u32 = u32::MAX;

/// One value: where it and its name stand in the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// The name's first byte behind its quote.
    pub(crate) name_start: u32,
    /// Bytes of the name as it is written; none where the value is no member of an
    /// object.
    pub(crate) name_len: u32,
    /// The value's first byte: what it is can be seen there.
    pub(crate) start: u32,
    /// Behind the value's last byte.
    pub(crate) end: u32,
    /// The node behind this one and all that is in it. While it is being read:
    /// the node around it.
    pub(crate) next: u32,
    /// Whether the name has escapes.
    pub(crate) escaped: bool,
    /// Whether the value is a text with escapes.
    pub(crate) value_escaped: bool,
    /// Whether none of its parts has parts of its own, or a name with escapes.
    flat: bool,
}

/// A text that was cut up.
pub(crate) struct Tape<'a> {
    text: &'a str,
    /// A value's parts follow it, each before its own parts: the first is at its
    /// own place and one, the others at `next` of the one before.
    nodes: Vec<Node>,
    tags: Vec<u8>,
}

impl<'a> Tape<'a> {
    /// Cuts a text up; none where it is no JSON, nests too deep, or is 4 GiB long.
    pub(crate) fn cut(text: &'a str) -> Option<Self> {
        let (nodes, tags) = Scan::of(text).cut()?;
        Some(Self { text, nodes, tags })
    }

    /// The value at a place, as it stands in the text.
    pub(crate) fn value(&self, at: usize) -> &'a str {
        self.nodes
            .get(at)
            .map_or("", |node| self.piece(node.start, node.end))
    }

    /// The text at a place, without its quotes and the white space around it; none
    /// where it has half a surrogate pair.
    ///
    /// The value is a text.
    pub(crate) fn text(&self, at: usize) -> Option<Cow<'a, str>> {
        let node = self.nodes.get(at)?;
        if node.value_escaped {
            let text = unquoted(self.piece(node.start, node.end))?;
            return Some(Cow::Owned(text.trim().to_owned()));
        }
        let text = self.piece(node.start + 1, node.end - 1);
        Some(Cow::Borrowed(trim(text)))
    }

    /// The name of the value at a place. A name that is no text, because it has half
    /// a surrogate pair, is left as it is written.
    pub(crate) fn name(&self, at: usize) -> Cow<'a, str> {
        let Some(node) = self.nodes.get(at) else {
            return Cow::Borrowed("");
        };
        let end = node.name_start + node.name_len;
        let written = self.piece(node.name_start, end);
        if !node.escaped {
            return Cow::Borrowed(written);
        }
        // with its quotes
        unquoted(self.piece(node.name_start - 1, end + 1)).map_or(Cow::Borrowed(written), Cow::Owned)
    }

    /// The places of the parts of the object or list at a place.
    pub(crate) fn parts(&self, of: usize) -> impl Iterator<Item = usize> {
        let end = self.nodes.get(of).map_or(0, |node| node.next as usize);
        let mut next = of + 1;
        std::iter::from_fn(move || {
            let here = next;
            let node = self.nodes.get(here).filter(|_| here < end)?;
            next = node.next as usize;
            Some(here)
        })
    }

    /// The place of the last member of this name in the object at a place: where a
    /// name stands twice, the last counts.
    pub(crate) fn find(&self, object: usize, name: &str) -> Option<usize> {
        let node = self.nodes.get(object)?;
        if !node.flat {
            return self.parts(object).filter(|at| self.is_named(*at, name)).last();
        }
        // the members stand one behind the other; eight at a time, from the last
        let (start, wanted) = (object + 1, EACH * u64::from(tag(name.as_bytes())));
        let mut end = node.next as usize;
        while end > start {
            let tags = self.tags.get(end..)?.first_chunk::<TAGS_BEFORE>()?;
            let mut found = below(u64::from_le_bytes(*tags) ^ wanted, 1) & (EACH * 0x80);
            while found != 0 {
                let highest = 63 - found.leading_zeros();
                let at = (end + highest as usize / 8).wrapping_sub(TAGS_BEFORE);
                if at >= start && at < end && self.is_named(at, name) {
                    return Some(at);
                }
                found &= !(1 << highest);
            }
            end = end.saturating_sub(TAGS_BEFORE);
        }
        None
    }

    /// Copied into its callers, because each field that is asked for comes by here.
    #[inline(always)]
    fn is_named(&self, at: usize, name: &str) -> bool {
        let Some(node) = self.nodes.get(at) else {
            return false;
        };
        if node.escaped {
            return self.name(at) == name;
        }
        let start = node.name_start as usize;
        let written = self.text.as_bytes().get(start..start + node.name_len as usize);
        written.is_some_and(|written| same(written, name.as_bytes()))
    }

    fn piece(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// A text with escapes as what it says; none where it has half a surrogate pair.
fn unquoted(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

/// `str::trim`, which looks at every text from both ends, for the few that need it.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// A byte made of a name. Names of one object begin and end alike more often than
/// they are of one length, so it takes of each.
fn tag(name: &[u8]) -> u8 {
    let (Some(first), Some(middle), Some(last)) = (name.first(), name.get(name.len() / 2), name.last())
    else {
        return 0;
    };
    (name.len() as u8).wrapping_mul(29) ^ first ^ middle.wrapping_mul(5) ^ last.wrapping_mul(3)
}

/// One in each byte.
const EACH: u64 = u64::MAX / 255;

/// The highest bit of each byte that is below `least`, up to 128; bytes above the
/// lowest such may be marked too, where a borrow ran into them.
fn below(word: u64, least: u64) -> u64 {
    word.wrapping_sub(EACH * least) & !word
}

/// Whether two texts are the same. In WebAssembly `==` compares byte by byte; here
/// it is eight at a time, and then the last eight, some of them again.
#[inline(always)]
fn same(one: &[u8], two: &[u8]) -> bool {
    if one.len() != two.len() {
        return false;
    }
    let all_but_last = one.as_chunks::<8>().0.iter().zip(two.as_chunks::<8>().0);
    match one.len() {
        8.. => {
            all_but_last.into_iter().all(|(one, two)| one == two)
                && one.last_chunk::<8>() == two.last_chunk::<8>()
        }
        4.. => {
            one.first_chunk::<4>() == two.first_chunk::<4>() && one.last_chunk::<4>() == two.last_chunk::<4>()
        }
        _ => one == two,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_member_of_a_name_is_found(
            names in prop::collection::vec("[ab]{0,3}|hs_[a-z]{1,9}", 0..40), first in 0usize..3, absent: String,
        ) {
            // as most objects are, with a part of its own, with an escape in a name
            let first = ["\"Z\": 0", "\"Z\": [{}]", "\"\\u005a\": 0"][first];
            let mut text = format!("[{{{first}");
            for (at, name) in names.iter().enumerate() {
                text.push_str(&format!(", \"{name}\": {at}"));
            }
            text.push_str("}, {\"Y\": 0}]");
            let tape = Tape::cut(&text).unwrap();
            let value = |name: &str| tape.find(1, name).map(|at| tape.value(at).to_owned());
            for name in &names {
                let last = names.iter().rposition(|other| other == name).unwrap();
                prop_assert_eq!(value(name), Some(last.to_string()));
            }
            prop_assert!(value("Z").is_some());
            prop_assert_eq!(value("Y"), None);
            prop_assert!(value(&absent).is_none() || names.contains(&absent) || absent == "Z");
        }

        #[test]
        fn texts_are_the_same_when_all_their_bytes_are(one in "[ab]{0,18}", two in "[ab]{0,18}") {
            prop_assert_eq!(same(one.as_bytes(), two.as_bytes()), one == two);
            prop_assert!(same(one.as_bytes(), one.clone().as_bytes()));
        }
    }
}
