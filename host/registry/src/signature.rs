//! How signatures travel in a component: at its end, a custom section for each.
//!
//! Each holds the four lines that minisign writes, and is made over all bytes before the
//! first of them, so that several keys can sign the same component. Whose signatures
//! count is not here, but in [`trust`](crate::trust).
//!
//! Read by the parser that the engine is built on, so that both see the same sections.

use thiserror::Error;
use wasmparser::{Chunk, CustomSectionReader, Parser, Payload};

use crate::whole;

/// The custom section that holds a signature. WebAssembly lets everybody ignore it.
pub const SECTION: &str = "cambist:signature";

/// Signatures that a component may carry: two people with two keys each while keys are
/// rotated, and as many again. Each may cost a pass over the whole file.
pub const MAX_SIGNATURES: usize = 8;

/// Bytes of one signature. minisign's own has some 300, of which its comments may be
/// longer: a file's name has up to 255.
pub const MAX_SIGNATURE_BYTES: usize = 1024;

/// A component, taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts<'b> {
    /// What is signed: all bytes before the first signature.
    pub content: &'b [u8],
    /// The text of each signature.
    pub signatures: Vec<&'b str>,
}

/// The signatures of a component cannot be told from the rest.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PartsError {
    /// Its sections cannot be read.
    #[error("not a WebAssembly component: {0}")]
    Broken(String),
    /// There are too many.
    #[error("it carries more than {MAX_SIGNATURES} signatures; build it again, and sign that")]
    TooMany,
    /// One is too long.
    #[error("one of its signatures has {0} bytes, and {MAX_SIGNATURE_BYTES} are the most")]
    TooLong(usize),
    /// One is no text.
    #[error("one of its signatures is no text; build it again, and sign that")]
    NotText,
    /// They do not stand at the end, so that something is not signed.
    #[error("something stands behind its signatures, and they do not cover it; sign as the last step")]
    Followed,
}

/// Takes a component apart. What is none has no signatures; whoever loads it tells.
///
/// # Errors
///
/// Signatures are not as they should be, or the component ends in the midst of a section.
pub fn split(bytes: &[u8]) -> Result<Parts<'_>, PartsError> {
    let mut parts = Parts {
        content: bytes,
        signatures: Vec::new(),
    };
    if !Parser::is_component(bytes) {
        return Ok(parts);
    }
    let mut parser = Parser::new(0);
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).ok_or_else(cut_off)?;
        let chunk = parser.parse(rest, true);
        let chunk = chunk.map_err(|error| match whole::is_beginning(bytes) {
            true => cut_off(),
            false => PartsError::Broken(error.message().to_owned()),
        })?;
        let Chunk::Parsed { consumed, payload } = chunk else {
            return Err(cut_off());
        };
        let begins = at;
        at += consumed;
        match payload {
            Payload::End(_) => return Ok(parts),
            Payload::CustomSection(section) if section.name() == SECTION => {
                if parts.signatures.is_empty() {
                    parts.content = bytes.get(..begins).unwrap_or_default();
                }
                parts.signatures.push(text(&section)?);
                if parts.signatures.len() > MAX_SIGNATURES {
                    return Err(PartsError::TooMany);
                }
            }
            _ if !parts.signatures.is_empty() => return Err(PartsError::Followed),
            // what stands within is the engine's to read
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => at = unchecked_range.end,
            _ => {}
        }
    }
}

/// A component with these signatures in the place of those that it has.
///
/// # Errors
///
/// The result could not be taken apart again.
pub fn join(content: &[u8], signatures: &[&str]) -> Result<Vec<u8>, PartsError> {
    let mut bytes = content.to_vec();
    for signature in signatures {
        let mut section = Vec::new();
        number(SECTION.len(), &mut section);
        section.extend_from_slice(SECTION.as_bytes());
        section.extend_from_slice(signature.as_bytes());
        bytes.push(0);
        number(section.len(), &mut bytes);
        bytes.extend_from_slice(&section);
    }
    let parts = split(&bytes)?;
    if parts.content == content && parts.signatures == signatures {
        return Ok(bytes);
    }
    Err(PartsError::Broken("it has no sections to sign".to_owned()))
}

fn text<'b>(section: &CustomSectionReader<'b>) -> Result<&'b str, PartsError> {
    let data = section.data();
    if data.len() > MAX_SIGNATURE_BYTES {
        return Err(PartsError::TooLong(data.len()));
    }
    std::str::from_utf8(data).map_err(|_| PartsError::NotText)
}

/// Unsigned LEB128, as WebAssembly writes lengths: seven bits a byte, the lowest first.
fn number(mut value: usize, to: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}

fn cut_off() -> PartsError {
    PartsError::Broken("it ends in the midst of a section; copy it whole".to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// The smallest component: its header.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn what_was_joined_comes_apart_the_same() {
        let long = "x".repeat(MAX_SIGNATURE_BYTES);
        for signatures in [vec![], vec!["one"], vec!["one", "two", &long]] {
            let joined = join(EMPTY, &signatures).unwrap();
            let parts = split(&joined).unwrap();
            assert_eq!(parts.content, EMPTY);
            assert_eq!(parts.signatures, signatures);
        }
    }

    #[test]
    fn what_is_no_component_has_no_signatures() {
        for bytes in [b"".as_slice(), b"{}", b"\0asm\x01\0\0\0"] {
            let none = Parts {
                content: bytes,
                signatures: Vec::new(),
            };
            assert_eq!(split(bytes), Ok(none));
            assert!(matches!(join(bytes, &["one"]), Err(PartsError::Broken(_))));
        }
    }

    #[test]
    fn every_cut_of_a_signed_component_is_seen() {
        let joined = join(EMPTY, &["one", "two"]).unwrap();
        let first = join(EMPTY, &["one"]).unwrap().len();
        for end in EMPTY.len() + 1..joined.len() {
            let cut = split(&joined[..end]);
            if end == first {
                assert_eq!(cut.unwrap().signatures, ["one"]);
            } else {
                assert!(matches!(cut, Err(PartsError::Broken(_))), "{end}: {cut:?}");
            }
        }
    }

    #[test]
    fn nothing_may_stand_behind_signatures() {
        let mut joined = join(EMPTY, &["one"]).unwrap();
        // a custom section called `x`, and nothing in it
        joined.extend_from_slice(&[0, 2, 1, b'x']);
        assert_eq!(split(&joined), Err(PartsError::Followed));
        // an empty module
        let mut joined = join(EMPTY, &["one"]).unwrap();
        joined.extend_from_slice(b"\x01\x08\0asm\x01\0\0\0");
        assert_eq!(split(&joined), Err(PartsError::Followed));
    }

    #[test]
    fn a_signature_within_a_module_is_none_of_the_component() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        let mut section = vec![u8::try_from(SECTION.len()).unwrap()];
        section.extend_from_slice(SECTION.as_bytes());
        module.extend_from_slice(&[0, u8::try_from(section.len()).unwrap()]);
        module.extend_from_slice(&section);
        let mut component = EMPTY.to_vec();
        component.extend_from_slice(&[1, u8::try_from(module.len()).unwrap()]);
        component.extend_from_slice(&module);
        assert_eq!(split(&component).unwrap().content, component);
        let signed = join(&component, &["one"]).unwrap();
        assert_eq!(split(&signed).unwrap().signatures, ["one"]);
        // a module that says it is longer than the file
        let mut lies = EMPTY.to_vec();
        lies.extend_from_slice(b"\x01\x7f\0asm\x01\0\0\0");
        assert!(matches!(split(&lies), Err(PartsError::Broken(_))));
    }

    #[test]
    fn number_and_size_are_bounded() {
        let many = vec!["one"; MAX_SIGNATURES + 1];
        assert_eq!(join(EMPTY, &many), Err(PartsError::TooMany));
        assert!(join(EMPTY, &many[1..]).is_ok());
        let long = "x".repeat(MAX_SIGNATURE_BYTES + 1);
        assert_eq!(
            join(EMPTY, &[&long]),
            Err(PartsError::TooLong(MAX_SIGNATURE_BYTES + 1))
        );
    }

    #[test]
    fn a_signature_that_is_no_text_is_told() {
        let mut joined = join(EMPTY, &["one"]).unwrap();
        *joined.last_mut().unwrap() = 0xff;
        assert_eq!(split(&joined), Err(PartsError::NotText));
    }
}
