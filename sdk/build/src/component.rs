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
    described(&component, about, Some("Rust"), cases).map_err(failed)
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
        .and_then(|component| described(&component, about, None, cases))
        .map_err(|detail| BuildError::Component {
            name: about.name.to_owned(),
            detail,
        })
}

/// The component with what it says of itself. The language where nobody has said it: other
/// languages' tools do, and of Rust's own word nothing is left, since what is built is
/// stripped.
fn described(
    component: &[u8],
    about: &About<'_>,
    language: Option<&str>,
    cases: &serde_json::Value,
) -> Result<Vec<u8>, String> {
    let mut metadata = AddMetadata::default();
    metadata
        .language
        .extend(language.map(|language| (language.to_owned(), String::new())));
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
