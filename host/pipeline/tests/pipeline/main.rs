//! The pipeline from outside: a journal in a file, plugins and systems that do
//! what a test says, and messages that go their way.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod alone;
mod broken_off;
mod conflict;
mod double;
mod draft;
mod echo;
mod edit;
mod ended;
mod fair;
mod hang;
mod judge;
mod links;
mod poll;
mod replay;
mod route;
mod shadow;
mod trouble;
