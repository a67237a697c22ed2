//! Whether a file is all there: a copy that is still under way ends in the midst of WebAssembly.
//!
//! The binary says of each section how long it is, so what is missing is seen without a word from
//! whoever writes. A copy that pauses just between two sections looks whole; that is for the
//! [stamp](crate::folder::Stamp) to tell, as long as it grows.

use wasmparser::{Chunk, Parser, Payload};

/// What all WebAssembly begins with.
const MAGIC: &[u8] = b"\0asm";

/// Whether bytes are the beginning of WebAssembly and not all of it. What is broken otherwise, or
/// is none, gets no better by waiting.
pub(crate) fn is_beginning(bytes: &[u8]) -> bool {
    if !bytes.starts_with(MAGIC) {
        return MAGIC.starts_with(bytes);
    }
    let mut parser = Parser::new(0);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        if rest.is_empty() && at > 0 {
            return false;
        }
        match parser.parse(rest, false) {
            Ok(Chunk::NeedMoreData(_)) => return true,
            Ok(Chunk::Parsed { consumed, payload }) => {
                at += consumed;
                match payload {
                    // what stands within is a length, too
                    Payload::ModuleSection { unchecked_range, .. }
                    | Payload::ComponentSection { unchecked_range, .. } => at = unchecked_range.end,
                    Payload::End(_) => return false,
                    _ => {}
                }
            }
            Err(_) => return false,
        }
    }
    // it ends within a module
    true
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// A component with a custom section, a module that has a function, and a component in it.
    fn component() -> (Vec<u8>, Vec<usize>) {
        let module = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";
        let inner = b"\0asm\x0d\0\x01\0\0\x02\x01x";
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        let mut ends = vec![bytes.len()];
        for (id, section) in [(0, b"\x01name".as_slice()), (1, module), (4, inner)] {
            bytes.extend_from_slice(&[id, u8::try_from(section.len()).unwrap()]);
            bytes.extend_from_slice(section);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    #[test]
    fn every_cut_but_between_two_sections_is_a_beginning() {
        let (bytes, ends) = component();
        for end in 0..=bytes.len() {
            assert_eq!(is_beginning(&bytes[..end]), !ends.contains(&end), "{end}");
        }
    }

    #[test]
    fn what_gets_no_better_is_no_beginning() {
        let (bytes, _) = component();
        // a section of an unknown kind, and rubbish behind the end
        let broken = [bytes.as_slice(), &[0xff, 1, 0]].concat();
        for other in [b"{".as_slice(), b"\0asn", b"\0asm\xff\xff\xff\xff", &broken] {
            assert!(!is_beginning(other), "{other:?}");
        }
    }
}
