//! The binary `cambist` once more, under a name of its own: cargo builds a
//! package's binaries for its tests, and only those.

use std::process::ExitCode;

fn main() -> ExitCode {
    cambist_app::cli::run()
}
