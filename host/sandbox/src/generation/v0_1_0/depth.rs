//! How deep a guest's JSON may be nested.
//!
//! What a guest answers is kept in the journal, some levels down in an entry, and
//! read again from there. A reader of JSON has a limit of its own, and a text
//! that was taken in and cannot be read again is lost.

/// Levels of arrays and objects. `serde_json` reads 128 and refuses the rest; a
/// plan or a change around the text takes up to 12, the entry two more. What
/// systems speak of is a handful of levels deep, so 64 is generous to plugins and
/// leaves room for what a later generation puts around it.
pub(super) const DEEPEST: usize = 64;

/// What is told of a text that goes deeper.
pub(super) const TOO_DEEP: &str = "is nested deeper than 64 levels";

/// Whether a JSON text is nested at most [`DEEPEST`] levels.
pub(super) fn fits(text: &str) -> bool {
    cambist_contract::json::fits(text, DEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> String {
        format!("{}{}", "[".repeat(levels), "]".repeat(levels))
    }

    #[test]
    fn the_last_level_fits_and_the_next_does_not() {
        assert!(fits(&nested(DEEPEST)));
        assert!(!fits(&nested(DEEPEST + 1)));
        assert!(!fits(&"{\"a\":".repeat(DEEPEST + 1)));
        assert!(TOO_DEEP.contains(&DEEPEST.to_string()));
    }

    #[test]
    fn brackets_side_by_side_and_in_strings_are_no_levels() {
        let beside = vec!["[]"; 200].join(",");
        assert!(fits(&format!("[{beside}]")));
        assert!(fits(&format!(r#"["a\"{0}","\\",{{"{0}":1}}]"#, "[".repeat(200))));
        // a string that ends in a backslash has ended
        assert!(!fits(&format!(r#"["\\",{}]"#, nested(DEEPEST))));
    }
}
