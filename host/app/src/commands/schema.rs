//! `cambist schema`: the config's JSON schema, for editors.

use std::process::ExitCode;

use anyhow::Result;

use crate::config::Config;

/// Prints the schema.
///
/// # Errors
///
/// It cannot be printed as JSON.
pub fn run() -> Result<ExitCode> {
    say!("{}", text()?);
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
