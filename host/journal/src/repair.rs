//! How an operator's repair of a message stands in the journal: in events that are there for
//! other things too, and known again by their words.
//!
//! A repair is a [`Event::Resumed`] by who makes it, followed in the same list by what it comes
//! to: another input, or the end. So no store and no format has to know of repairs.
//!
//! # What is not here
//!
//! Which messages may be repaired, and what an input may hold: the operators' side asks that.

use cambist_contract::{Json, plugin::LogLine, stage::Stage};

use crate::Event;

/// How the line begins that tells of an edit. The host's own stages write none, and `fetch` is
/// one of them, so no plugin can write it.
const EDITED: &str = "edited by ";

impl Event {
    /// Another input in the place of what was fetched: `by` and `reason` say whose it is, and
    /// why. What was fetched stays where it is, in its entry before this one.
    pub fn edited(by: &str, reason: &str, input: Json) -> Self {
        Self::Passed {
            stage: Stage::Fetch,
            output: input,
            took_us: 0,
            fuel: None,
            log: vec![LogLine {
                level: "warn".to_owned(),
                text: format!("{EDITED}{by}: {reason}"),
            }],
            links: Vec::new(),
        }
    }

    /// Who put this input in the place of what was fetched, and why, as a sentence; none where
    /// this is something else.
    pub fn edit(&self) -> Option<&str> {
        match self {
            Self::Passed {
                stage: Stage::Fetch,
                log,
                ..
            } => log
                .first()
                .map(|line| line.text.as_str())
                .filter(|text| text.starts_with(EDITED)),
            _ => None,
        }
    }

    /// Who or what had the message begin again, by which order and why, as a sentence; none where
    /// this is something else.
    pub fn again(&self) -> Option<String> {
        let Self::Resumed {
            by,
            from,
            live,
            why,
            order,
        } = self
        else {
            return None;
        };
        let on = if *live { "live" } else { "pinned" };
        let order = order.map_or(String::new(), |number| format!(", replay {number}"));
        let why = why.as_ref().map_or(String::new(), |why| format!(": {why}"));
        Some(format!(
            "again from {from} on the {on} revisions, asked by {by}{order}{why}"
        ))
    }

    /// The end of a message that goes nowhere, because `by` says so.
    pub fn skipped(by: &str, reason: &str) -> Self {
        Self::Ignored {
            reason: format!("skipped by {by}: {reason}"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_known_again_from_its_text_and_nothing_else_is_taken_for_one() {
        let edited = Event::edited("ada", "the country was wrong", Json::empty_object());
        let text = serde_json::to_string(&edited).unwrap();
        let told = Event::from_text(&text).unwrap();
        assert_eq!(told.edit(), Some("edited by ada: the country was wrong"));
        let fetched = Event::Passed {
            stage: Stage::Fetch,
            output: Json::empty_object(),
            took_us: 0,
            fuel: None,
            log: Vec::new(),
            links: Vec::new(),
        };
        assert_eq!(fetched.edit(), None);
        // a plugin that writes the same words was at no input
        let Event::Passed { log, output, .. } = edited else {
            return;
        };
        let read = Event::Passed {
            stage: Stage::Read,
            output,
            took_us: 0,
            fuel: None,
            log,
            links: Vec::new(),
        };
        assert_eq!(read.edit(), None);
    }
}
