//! `log`: lines for the plugin's owner, counted and cut off.

use cambist_contract::plugin::LogLine;

use crate::{guest::State, trap};

/// Writes one line.
///
/// # Errors
///
/// The call has written too much; it ends.
pub(crate) fn write(state: &mut State, level: &'static str, text: String) -> wasmtime::Result<()> {
    state.host_call(text.len())?;
    state.budget.log_lines += 1;
    state.budget.log_bytes += text.len() as u64;
    if state.budget.log_lines > state.terms.limits.log_lines {
        return state.meet("log-lines", u64::from(state.terms.limits.log_lines));
    }
    if state.budget.log_bytes > state.terms.limits.log_bytes {
        return state.meet("log-bytes", state.terms.limits.log_bytes);
    }
    state.log.push(LogLine {
        level: level.to_owned(),
        text,
    });
    Ok(())
}

/// Keeps the next piece of a plugin's last words, as far as they are told.
pub(crate) fn panicked(state: &mut State, piece: &[u8]) -> wasmtime::Result<()> {
    state.host_call(piece.len())?;
    if state.last_words.len() <= trap::LAST_WORDS {
        state.last_words.extend_from_slice(piece);
    }
    Ok(())
}
