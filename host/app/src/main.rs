//! The binary `cambist`.

use std::process::ExitCode;

use cambist_app::cli;

fn main() -> ExitCode {
    cli::run()
}
