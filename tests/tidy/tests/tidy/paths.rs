//! A path that a document names leads somewhere.

use anyhow::Result;
use cambist_tidy::files;

/// Words that stand for many: `host/NAME/src/options.rs`.
const STANDS_FOR_MANY: [char; 6] = ['*', '…', '<', ' ', '$', '{'];

/// What is named and need not be there: a placeholder, and a file that comes with the
/// first release.
const NOT_THERE: [&str; 2] = ["name.rs", "wit/digests.txt"];

/// A word in back-quotes that names a file or a folder of the project, such as
/// `host/app/`, `way.rs` or `store/sqlite/format.rs`.
fn is_path(word: &str, folders: &[&str]) -> bool {
    let begins = |folder: &&str| {
        word.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    let named = word.ends_with(".rs") || word.ends_with(".wit") || folders.iter().any(begins);
    let stands_for_many = word.contains(STANDS_FOR_MANY) || word.contains("NAME");
    named && !stands_for_many && !NOT_THERE.contains(&word)
}

#[test]
fn what_documents_call_a_path_is_there() -> Result<()> {
    let files = files::tracked()?;
    let folders = ["host", "plugins", "wit", "sdk", "tests", "examples"];
    let mut findings = Vec::new();
    for document in files.iter().filter(|file| file.path.ends_with(".md")) {
        for word in document.text.split('`').skip(1).step_by(2) {
            if !is_path(word, &folders) {
                continue;
            }
            let path = word.trim_end_matches('/');
            // from the root, or in whichever folder is being spoken of
            let leads = files
                .iter()
                .any(|file| format!("/{}/", file.path).contains(&format!("/{path}/")));
            if !leads {
                findings.push(format!("{}: `{word}`", document.path));
            }
        }
    }
    files::none("documents name paths that are not there:", &findings)
}
