//! `cambist plugin pull` and `publish`, as the binary does them: against Debian's
//! `docker-registry` as a process of its own, and against servers that do what no registry
//! should.
//!
//! Without `docker-registry` on the path the tests against it are skipped, and say so; those
//! with tokens and over TLS also want `openssl`. `ferro-oci-server`, by other people, is the second one.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod hostile;
mod https;
mod maker;
mod other;
mod real;
mod support;
mod tokens;
