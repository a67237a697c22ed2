//! Components and answers that nobody would write, against load, check and call.
//!
//! Whatever the bytes are, the host says in a bounded text why it does not take them,
//! or calls them under limits; and what it takes in can be read again. `tests/` has a
//! file for each source of bytes: `smith.rs` components that wasm-smith makes,
//! `mutated.rs` real ones with damage, `answers.rs` all that a guest can return.
//!
//! Half a minute by default. `CAMBIST_FUZZ=100` makes a hundred times as many runs, and
//! `CAMBIST_FUZZ_SEED=7` begins elsewhere; a failure names the seed that makes it again.
//!
//! # What is not here
//!
//! Coverage does not guide it: that needs a compiler's instrumentation of the host. And
//! no corpus is kept: what was found is a test in `host/sandbox/tests/wall`.
//!
//! # Where to start reading
//!
//! [`ask`] for what is called and what must hold, [`lower`] for how an answer becomes
//! bytes, [`seed`] for where randomness comes from.

pub mod ask;
pub mod lower;
pub mod seed;
