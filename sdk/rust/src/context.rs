//! What a call knows besides its input.

use serde::de::DeserializeOwned;

use crate::{
    fault::broken,
    prelude::{Context, Fault},
};

impl Context {
    /// The binding's settings as the plugin's own type.
    ///
    /// Derive `Deserialize` with `deny_unknown_fields` for it, and ask for the
    /// settings first: when the host checks a binding, it calls the plugin with the
    /// inputs of its own cases and the binding's settings, and refuses the binding
    /// if the plugin breaks on them. So a typing error in the host's config is found
    /// before a message meets it, if the plugin carries a case for that function.
    ///
    /// # Errors
    ///
    /// [`Fault::Broken`] with what serde says about the settings.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_str(&self.settings).map_err(|error| broken(format!("settings: {error}")))
    }
}
