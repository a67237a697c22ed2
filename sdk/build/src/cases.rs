//! Collects a plugin's cases from their folders.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::BuildError;

/// The cases under a folder, by the names of their folders, as one JSON array:
/// `[{"name", "call", "context", "input", "expect"}, …]`. No folder, no cases.
///
/// # Errors
///
/// A file cannot be read or is not JSON.
pub fn collect(folder: &Path) -> Result<Value, BuildError> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(json!([]));
    };
    let mut folders: Vec<_> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    let cases: Result<Vec<Value>, BuildError> = folders.iter().map(|folder| case(folder)).collect();
    Ok(Value::Array(cases?))
}

fn case(folder: &Path) -> Result<Value, BuildError> {
    let mut case = load(&folder.join("input.json"))?;
    let expected = load(&folder.join("expected.json"))?;
    let name = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let Value::Object(fields) = &mut case else {
        let detail = "must be an object with `call`, `context` and `input`".to_owned();
        return Err(BuildError::Case {
            path: folder.join("input.json"),
            detail,
        });
    };
    fields.insert("name".to_owned(), name.into());
    fields.insert("expect".to_owned(), expected);
    Ok(case)
}

fn load(path: &Path) -> Result<Value, BuildError> {
    let text = fs::read_to_string(path).map_err(|source| BuildError::File {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|error| BuildError::Case {
        path: path.to_owned(),
        detail: error.to_string(),
    })
}
