//! The rules, a file for each kind.

mod errors;
mod imports;
mod limits;
mod paths;
mod sources;
mod stages;
mod wit;
mod words;
