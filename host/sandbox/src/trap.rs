//! Turns what ended a call into an error a person understands.

use cambist_contract::{
    fault::{Fault, Violation},
    limits::Limits,
    plugin::{CallError, LoadError},
};
use wasmtime::Trap;

use crate::{
    engine::{MAX_INSTANCES, MAX_MEMORIES},
    guest::State,
};

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
        // its own kind of recursion, on the native stack; a guest whose stack lies in
        // its memory meets the end of that, and no trap tells it from a bad pointer
        Some(Trap::StackOverflow) => {
            return CallError::Limit {
                setting: "stack",
                value: u64::from(limits.stack),
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
    // wasmtime counts memories, core instances and tables by itself, and says so in words
    if text.contains("memory count too high") {
        return CallError::Limit {
            setting: "memories",
            value: u64::from(limits.memories),
        };
    }
    if text.contains("instance count too high") || text.contains("table count too high") {
        return CallError::Limit {
            setting: "instances",
            value: u64::from(limits.instances),
        };
    }
    if is_full(error) {
        return CallError::Host("all instances are in use".to_owned());
    }
    // wasmtime found the guest's answer or its use of memory to be nonsense
    CallError::BadAnswer(cut(text))
}

/// Whether the pool has no room for another instance.
pub(crate) fn is_full(error: &wasmtime::Error) -> bool {
    format!("{error:#}").contains("maximum concurrent")
}

/// The error as it is told and kept. A fault's text is the plugin's own and may be as
/// long as an answer; what a person is to read is a sentence.
pub(crate) fn short(error: CallError) -> CallError {
    let CallError::Fault(fault) = error else {
        return error;
    };
    CallError::Fault(match fault {
        Fault::Invalid(it) => Fault::Invalid(Violation {
            field: cut(it.field),
            rule: cut(it.rule),
        }),
        // an id that is cut is another one, which never comes
        Fault::Waiting(entity) if entity.system.len() + entity.id.len() > LAST_WORDS => {
            let text = format!("it waits for an entity whose name has more than {LAST_WORDS} bytes");
            return CallError::BadAnswer(text);
        }
        Fault::Waiting(entity) => Fault::Waiting(entity),
        Fault::Unhandled(text) => Fault::Unhandled(cut(text)),
        Fault::Broken(text) => Fault::Broken(cut(text)),
    })
}

/// Bytes are no component, by what a parser says of them: in one line, because it prints
/// bytes one a line and a problem is a line.
pub(crate) fn not_a_component(text: &str) -> LoadError {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    LoadError::NotAComponent(cut(line))
}

/// Why a component does not compile, by what wasmtime says: what has more parts than the pool
/// has for any binding is one all the same.
pub(crate) fn not_compiled(text: &str) -> LoadError {
    let parts = [
        ("linear memories", "memories", MAX_MEMORIES),
        ("core module instances", "instances", MAX_INSTANCES),
        ("tables", "instances", MAX_INSTANCES),
    ];
    let more = |what: &str| text.contains(&format!("{what}, which exceeds"));
    match parts.into_iter().find(|(what, ..)| more(what)) {
        Some((what, setting, most)) => LoadError::TooLarge(format!(
            "it has more {what} than the {most} that `{setting}` may be at most"
        )),
        None => not_a_component(text),
    }
}

/// The text, cut at a character's boundary.
pub(crate) fn cut(text: String) -> String {
    cut_at(text, LAST_WORDS)
}

/// The text, cut at a character's boundary after so many bytes.
pub(crate) fn cut_at(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}
