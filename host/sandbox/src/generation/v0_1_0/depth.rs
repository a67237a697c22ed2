//! How deep a guest's JSON may be nested.
//!
//! What a guest answers is kept in the journal, some levels down in an entry, and
//! read again from there. A reader of JSON has a limit of its own, and a text
//! that was taken in and cannot be read again is lost.
//!
//! How deep is the setting `depth`; its ceiling is argued in `engine.rs`.

/// Whether a JSON text is nested at most so many levels.
pub(super) fn fits(text: &str, levels: u32) -> bool {
    usize::try_from(levels).is_ok_and(|levels| cambist_contract::json::fits(text, levels))
}

#[cfg(test)]
mod tests {
    use super::fits;

    const DEEPEST: usize = 64;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn the_last_level_fits_and_the_next_does_not() {
        assert!(fits(&nested(DEEPEST), 64));
        assert!(!fits(&nested(DEEPEST + 1), 64));
        assert!(!fits(&"{\"a\":".repeat(DEEPEST + 1), 64));
    }

    #[test]
    fn brackets_side_by_side_and_in_strings_are_no_levels() {
        let beside = vec!["[]"; 200].join(",");
        assert!(fits(&format!("[{beside}]"), 64));
        assert!(fits(
            &format!(r#"["a\"{0}","\\",{{"{0}":1}}]"#, "[".repeat(200)),
            64
        ));
        // a string that ends in a backslash has ended
        assert!(!fits(&format!(r#"["\\",{}]"#, nested(DEEPEST)), 64));
    }
}
