//! What is wrong with a config or a plugin: one problem a line.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

/// One problem of a config or a plugin, with its place and the way out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; none where it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub problem: String,
    /// Whether all works all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_warning: bool,
}

impl Problem {
    /// A problem with a whole file.
    pub fn of_file(file: &Path, problem: String) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            problem,
            is_warning: false,
        }
    }

    /// The problem with its line, where the file is known.
    pub fn in_file(&self) -> String {
        match self.line {
            Some(line) => format!("line {line}: {}", self.problem),
            None => self.problem.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        let warning = if self.is_warning { "warning: " } else { "" };
        write!(f, ": {warning}{}", self.problem)
    }
}

/// All problems of a config, where one is enough to go no further.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
