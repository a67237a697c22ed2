//! `cambist schema`: the config's JSON schema, for editors.

use std::process::ExitCode;

use anyhow::Result;

use crate::config::Config;

/// Prints the schema.
///
/// # Errors
///
/// It cannot be printed as JSON.
#[expect(clippy::print_stdout, reason = "it is the command's answer")]
pub fn run() -> Result<ExitCode> {
    println!("{}", text()?);
    Ok(ExitCode::SUCCESS)
}

/// The schema as JSON text.
///
/// # Errors
///
/// It cannot be printed as JSON.
pub fn text() -> Result<String> {
    Ok(serde_json::to_string_pretty(&schemars::schema_for!(Config))?)
}
