//! How texts and lists are handed to a guest: lent for the call, so that none is
//! copied before wasmtime copies it into the guest's memory.

use std::fmt::Display;

use super::room::Room;

/// A text.
pub(super) type Text<'a> = &'a str;

/// A list.
pub(super) type List<'a, T> = &'a [T];

/// A text as it stands.
pub(super) fn text(text: &str) -> Text<'_> {
    text
}

/// A value's text, written down in `room`.
pub(super) fn printed<'a>(room: &'a Room, value: &impl Display) -> Text<'a> {
    bumpalo::format!(in &room.bump, "{}", value).into_bump_str()
}

/// A list, written down in `room`.
pub(super) fn list<'a, T>(room: &'a Room, items: impl ExactSizeIterator<Item = T>) -> List<'a, T> {
    room.bump.alloc_slice_fill_iter(items)
}
