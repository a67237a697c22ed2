//! How texts and lists are handed to a plugin that is linked natively: given away,
//! because its types own them.

use std::fmt::Display;

use super::room::Room;

/// A text.
pub(super) type Text<'a> = String;

/// A list.
pub(super) type List<'a, T> = Vec<T>;

/// A text as it stands.
pub(super) fn text(text: &str) -> Text<'_> {
    text.to_owned()
}

/// A value's text.
pub(super) fn printed<'a>(_: &'a Room, value: &impl Display) -> Text<'a> {
    value.to_string()
}

/// A list.
pub(super) fn list<'a, T>(_: &'a Room, items: impl ExactSizeIterator<Item = T>) -> List<'a, T> {
    items.collect()
}
