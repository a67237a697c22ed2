//! Faults that read well where they are raised.

use crate::prelude::{EntityRef, Fault, Violation};

/// The input breaks a rule: `Err(invalid("account.tax-id", "is needed for reverse charge"))`.
///
/// `field` is the path of the field, never its value; `rule` tells a person what
/// to put right.
pub fn invalid(field: impl Into<String>, rule: impl Into<String>) -> Fault {
    Fault::Invalid(Violation {
        field: field.into(),
        rule: rule.into(),
    })
}

/// The input refers to an entity that is not there yet.
pub fn waiting(entity: EntityRef) -> Fault {
    Fault::Waiting(entity)
}

/// This is not for this plugin; only `read` may say so.
pub fn unhandled(reason: impl Into<String>) -> Fault {
    Fault::Unhandled(reason.into())
}

/// The plugin itself cannot go on.
pub fn broken(text: impl Into<String>) -> Fault {
    Fault::Broken(text.into())
}

/// Turns a field that is not there into a fault that names it.
pub trait Required<T> {
    /// The value, or a fault that the field is required.
    ///
    /// # Errors
    ///
    /// [`Fault::Invalid`] with the field's path.
    fn required(self, field: impl Into<String>) -> Result<T, Fault>;
}

impl<T> Required<T> for Option<T> {
    fn required(self, field: impl Into<String>) -> Result<T, Fault> {
        self.ok_or_else(|| invalid(field, "is required"))
    }
}
