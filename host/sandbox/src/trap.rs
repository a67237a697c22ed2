//! Turns what ended a call into an error a person understands.

use cambist_contract::{limits::Limits, plugin::CallError};
use wasmtime::Trap;

use crate::guest::State;

/// The longest text of a plugin's last words that is kept. A panic's message is
/// a sentence; what is longer is data.
pub(crate) const LAST_WORDS: usize = 500;

/// Why a call ended without an answer.
pub(crate) fn explain(error: &wasmtime::Error, state: &State, limits: &Limits) -> CallError {
    if let Some(met) = state.limiter.met.clone().or_else(|| state.budget.met.clone()) {
        return met;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            return CallError::Limit {
                setting: "fuel",
                value: limits.fuel,
            };
        }
        Some(trap) => {
            let words = String::from_utf8_lossy(&state.last_words);
            return CallError::Trapped(match words.trim_end_matches('\0') {
                "" => format!("{trap}, without a word of its own"),
                words => cut(words.to_owned()),
            });
        }
        None => {}
    }
    let text = format!("{error:#}");
    if text.contains("fuel allocated for hostcalls") {
        return CallError::Limit {
            setting: "transfer",
            value: limits.transfer,
        };
    }
    // wasmtime counts core instances and tables by itself, and says so in words
    if text.contains("instance count too high") || text.contains("table count too high") {
        return CallError::Limit {
            setting: "instances",
            value: u64::from(limits.instances),
        };
    }
    if text.contains("maximum concurrent") {
        return CallError::Host("all instances are in use".to_owned());
    }
    // wasmtime found the guest's answer or its use of memory to be nonsense
    CallError::BadAnswer(cut(text))
}

/// The text, cut at a character's boundary.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > LAST_WORDS {
        text.truncate(text.floor_char_boundary(LAST_WORDS));
        text.push('…');
    }
    text
}
