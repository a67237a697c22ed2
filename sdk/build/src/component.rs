//! Makes a component of a core module, and writes down what it says of itself.

use wasm_encoder::{CustomSection, Encode as _, Section as _};
use wasm_metadata::{AddMetadata, AddMetadataField};
use wit_component::ComponentEncoder;

use crate::{
    BuildError, copies, cut,
    metadata::{AUTHORS, DESCRIPTION, VERSION},
    post_return, unreached,
};

/// The custom section that holds a component's cases: a JSON array, each item as
/// the host's `Case`.
pub const CASES_SECTION: &str = "cambist-cases";

/// What a component says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The plugin's name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
    /// Who wrote it.
    pub authors: &'a [String],
    /// What it does, in one sentence.
    pub description: Option<&'a str>,
    /// The language it is written in, where its tool does not say so.
    pub language: Option<&'a str>,
}

/// Makes a component of a core module that was built with the SDK.
///
/// # Errors
///
/// The module was not built with the SDK, or does not validate.
pub fn encode(core: &[u8], about: &About<'_>, cases: &serde_json::Value) -> Result<Vec<u8>, BuildError> {
    let failed = |detail: String| BuildError::Component {
        name: about.name.to_owned(),
        detail,
    };
    let core = copies::by_itself(core)
        .and_then(|core| post_return::left_out(&core))
        .and_then(|core| unreached::emptied(&core))
        .map_err(failed)?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&core)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| failed(format!("{error:#}")))?;
    described(&component, about, cases).map_err(failed)
}

/// Makes a plugin of a component that another language's tool has made: the plugin's
/// own part of it, with its name, version and cases.
///
/// What the component imports from elsewhere than the contract traps when it is called.
///
/// # Errors
///
/// It is no component, or nothing in it exports an interface of the contract.
pub fn pack(component: &[u8], about: &About<'_>, cases: &serde_json::Value) -> Result<Vec<u8>, BuildError> {
    cut::out(component)
        .and_then(|component| described(&component, about, cases))
        .map_err(|detail| BuildError::Component {
            name: about.name.to_owned(),
            detail,
        })
}

/// The component with what it says of itself. Of Rust's own word nothing is left, since what
/// is built is stripped, and of other languages' tools not all say theirs.
fn described(component: &[u8], about: &About<'_>, cases: &serde_json::Value) -> Result<Vec<u8>, String> {
    let mut metadata = AddMetadata::default();
    let language = about
        .language
        .map(|language| (language.to_owned(), String::new()));
    metadata.language.extend(language);
    metadata.name = AddMetadataField::Set(about.name.to_owned());
    let mut bytes = metadata
        .to_wasm(component)
        .map_err(|error| format!("{error:#}"))?;
    append(&mut bytes, VERSION, about.version.as_bytes());
    if !about.authors.is_empty() {
        append(&mut bytes, AUTHORS, about.authors.join(", ").as_bytes());
    }
    if let Some(description) = about.description {
        append(&mut bytes, DESCRIPTION, description.as_bytes());
    }
    append(&mut bytes, CASES_SECTION, cases.to_string().as_bytes());
    Ok(bytes)
}

/// Appends a custom section: it is not part of what runs.
fn append(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    let section = CustomSection {
        name: name.into(),
        data: data.into(),
    };
    component.push(section.id());
    section.encode(component);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::metadata;

    #[test]
    fn a_component_says_the_language_that_it_was_given_and_no_other() {
        let about = |language| About {
            name: "map",
            version: "1.0.0",
            authors: &[],
            description: None,
            language,
        };
        let bare = wasm_encoder::Component::new().finish();
        for language in [None, Some("TypeScript")] {
            let described = described(&bare, &about(language), &serde_json::json!([])).unwrap();
            let found = metadata::read(&described).unwrap();
            assert_eq!(found.languages(), language.into_iter().collect());
        }
    }
}
