//! Checks a JSON text (RFC 8259) and cuts it up, in one pass and without recursion.

use super::{EACH, MAX_DEPTH, NONE, Node, TAGS_BEFORE, below, tag};

/// A text that is being cut up.
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    tags: Vec<u8>,
    /// The innermost object or list that is still open.
    around: u32,
    depth: u32,
}

impl<'a> Scan<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        // HubSpot has a value in 25 to 30 bytes
        let values = text.len() / 16 + 1;
        let mut tags = Vec::with_capacity(values + TAGS_BEFORE);
        tags.extend([0; TAGS_BEFORE]);
        Self {
            text: text.as_bytes(),
            at: 0,
            nodes: Vec::with_capacity(values),
            tags,
            around: NONE,
            depth: 0,
        }
    }

    /// The nodes and their tags; none where the text is no JSON or too deep.
    pub(super) fn cut(mut self) -> Option<(Vec<Node>, Vec<u8>)> {
        // so that every place in the text fits a node
        u32::try_from(self.text.len()).ok()?;
        self.space();
        self.document()?;
        Some((self.nodes, self.tags))
    }

    /// The whole text. Each turn of the loop reads a value, or opens one, and
    /// closes what ends behind it.
    fn document(&mut self) -> Option<()> {
        let mut name = (0, 0, false);
        loop {
            let start = self.at;
            let index = u32::try_from(self.nodes.len()).ok()?;
            let first = self.peek()?;
            let mut value_escaped = false;
            match first {
                b'"' => value_escaped = self.string()?,
                b'{' | b'[' => self.at += 1,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            let opens = matches!(first, b'{' | b'[');
            self.tags
                .push(tag(self.text.get(name.0 as usize..)?.get(..name.1 as usize)?));
            self.nodes.push(Node {
                name_start: name.0,
                name_len: name.1,
                escaped: name.2,
                value_escaped,
                flat: true,
                start: start as u32,
                end: self.at as u32,
                next: if opens { self.around } else { index + 1 },
            });
            if (opens || name.2)
                && let Some(around) = self.nodes.get_mut(self.around as usize)
            {
                around.flat = false;
            }
            self.space();
            if opens {
                if self.depth == MAX_DEPTH {
                    return None;
                }
                self.depth += 1;
                self.around = index;
                if !matches!(self.peek()?, b'}' | b']') {
                    name = self.name_in(first)?;
                    continue;
                }
            }
            match self.close()? {
                Some(kind) => name = self.name_in(kind)?,
                None => return Some(()),
            }
        }
    }

    /// Closes all that ends here. Answers what goes on behind a comma: an object
    /// or a list; or nothing, where the text ends.
    fn close(&mut self) -> Option<Option<u8>> {
        loop {
            let next = u32::try_from(self.nodes.len()).ok()?;
            let Some(open) = self.nodes.get_mut(self.around as usize) else {
                // nothing is open: nothing may follow
                return (self.at == self.text.len()).then_some(None);
            };
            let kind = *self.text.get(open.start as usize)?;
            match (*self.text.get(self.at)?, kind) {
                (b'}', b'{') | (b']', b'[') => {
                    self.at += 1;
                    self.around = std::mem::replace(&mut open.next, next);
                    open.end = self.at as u32;
                    self.depth -= 1;
                    self.space();
                }
                (b',', _) => {
                    self.at += 1;
                    self.space();
                    return Some(Some(kind));
                }
                _ => return None,
            }
        }
    }

    /// The name of the next member and its colon; nothing to read in a list.
    fn name_in(&mut self, kind: u8) -> Option<(u32, u32, bool)> {
        if kind == b'[' {
            return Some((0, 0, false));
        }
        let start = self.at + 1;
        if self.peek()? != b'"' {
            return None;
        }
        let escaped = self.string()?;
        let len = self.at - 1 - start;
        self.space();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        self.space();
        Some((start as u32, len as u32, escaped))
    }

    /// A text, from its quote; whether it has escapes.
    fn string(&mut self) -> Option<bool> {
        self.at += 1;
        let mut escaped = false;
        loop {
            self.at = plain(self.text, self.at);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(escaped);
                }
                b'\\' => {
                    escaped = true;
                    self.at += match self.text.get(self.at + 1)? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                        b'u' => {
                            let digits = self.text.get(self.at + 2..self.at + 6)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return None;
                            }
                            6
                        }
                        _ => return None,
                    };
                }
                _ => return None,
            }
        }
    }

    /// A number: RFC 8259, section 6.
    fn number(&mut self) -> Option<()> {
        self.take(b"-");
        match self.peek()? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.digits()?,
            _ => return None,
        }
        if self.take(b".") {
            self.digits()?;
        }
        if self.take(b"eE") {
            self.take(b"+-");
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > from).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let here = self.text.get(self.at..self.at + word.len())?;
        self.at += word.len();
        (here == word).then_some(())
    }

    fn take(&mut self, one_of: &[u8]) -> bool {
        let found = self.text.get(self.at).is_some_and(|byte| one_of.contains(byte));
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }
}

/// Where the first byte at or behind `at` is that a text cannot simply hold: a
/// quote, a backslash or a control character; or the end.
///
/// Eight bytes at a time, and the last ones together. A plugin pays for each turn of
/// a loop: with a check of its fuel, and with what the check keeps out of registers.
pub(crate) fn plain(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    match text.get(at..).filter(|rest| !rest.is_empty()) {
        Some(rest) => (at + (special(few(rest)).trailing_zeros() / 8) as usize).min(text.len()),
        None => at,
    }
}

/// One to seven bytes as a word, filled up with bytes that are not special.
fn few(bytes: &[u8]) -> u64 {
    let filled = u64::MAX << (8 * bytes.len());
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return filled | u64::from(first) | u64::from(last) << (8 * (bytes.len() - 4));
    }
    let each = bytes
        .iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    filled | each
}

/// The highest bit of each byte that is special; see [`below`].
fn special(word: u64) -> u64 {
    let quote = below(word ^ (EACH * 0x22), 1);
    let backslash = below(word ^ (EACH * 0x5c), 1);
    (below(word, 0x20) | quote | backslash) & (EACH * 0x80)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::{super::Tape, *};

    fn tape(text: &str) -> Option<Vec<Node>> {
        Tape::cut(text).map(|tape| tape.nodes)
    }

    /// Any JSON, written with and without white space.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[ -~\\\\\"\u{0}-\u{1f}é€𝄞]{0,40}".prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(6, 60, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..8)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        (tree, any::<bool>()).prop_map(|(tree, pretty)| {
            if pretty {
                format!("{tree:#}")
            } else {
                tree.to_string()
            }
        })
    }

    /// What the tape says, as a tree, each scalar by `serde_json` from its own piece.
    fn tree(text: &str, nodes: &[Node], index: usize) -> Value {
        let node = nodes[index];
        let piece = &text[node.start as usize..node.end as usize];
        let parts = |mut at: usize| {
            let mut parts = Vec::new();
            while at < node.next as usize {
                parts.push(at);
                at = nodes[at].next as usize;
            }
            parts
        };
        match piece.as_bytes()[0] {
            b'[' => parts(index + 1)
                .into_iter()
                .map(|at| tree(text, nodes, at))
                .collect(),
            b'{' => {
                let name = |at: usize| {
                    let raw = &text[nodes[at].name_start as usize..][..nodes[at].name_len as usize];
                    assert_eq!(nodes[at].escaped, raw.contains('\\'));
                    serde_json::from_str::<String>(&format!("\"{raw}\"")).unwrap()
                };
                parts(index + 1)
                    .into_iter()
                    .map(|at| (name(at), tree(text, nodes, at)))
                    .collect()
            }
            _ => serde_json::from_str(piece).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn every_json_text_says_what_serde_json_reads(text in json()) {
            let nodes = tape(&text).unwrap();
            prop_assert_eq!(tree(&text, &nodes, 0), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn a_text_with_a_byte_changed_is_taken_or_refused_as_serde_json_does(
            text in json(), at: prop::sample::Index, with in "[]\\[{},:\"\\\\0-9a-fA-Fnrtu.eE+ \u{1}\n-]{0,3}", cuts in 0usize..3,
        ) {
            let mut characters: Vec<char> = text.chars().collect();
            let at = at.index(characters.len());
            let until = (at + cuts).min(characters.len());
            characters.splice(at..until, with.chars());
            let text: String = characters.into_iter().collect();
            let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(tape(&text).is_some(), known, "{}", text);
        }

        #[test]
        fn any_letters_of_json_are_taken_or_refused_as_serde_json_does(text in "[]\\[{},:\"\\\\01.eE+ tnu-]{0,12}") {
            let known = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(tape(&text).is_some(), known, "{}", text);
        }

        #[test]
        fn the_special_byte_found_is_the_first(text: Vec<u8>, at in 0usize..20) {
            let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
            let at = at.min(text.len());
            let first = text[at..].iter().position(is_special).map_or(text.len(), |found| at + found);
            prop_assert_eq!(plain(&text, at), first);
        }
    }

    #[test]
    fn nesting_is_bounded_where_serde_json_bounds_it() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [1, 126, 127, 128, 129, 100_000] {
                let text = format!("{}0{}", open.repeat(depth), close.repeat(depth));
                assert_eq!(
                    tape(&text).is_some(),
                    serde_json::from_str::<Value>(&text).is_ok(),
                    "{depth}"
                );
            }
        }
    }
}
