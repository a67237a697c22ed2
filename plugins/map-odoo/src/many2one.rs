//! Odoo's references: `[7, "Acme"]` in an answer, `7` in a webhook, `false` for
//! none.

use cambist_sdk::prelude::*;

/// The record that a field refers to.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Many2one {
    /// Its database id.
    pub(crate) id: String,
    /// Its display name, where Odoo sent it.
    pub(crate) name: Option<String>,
}

/// Reads a reference.
///
/// # Errors
///
/// The field is something else.
pub(crate) fn read(from: &Fields<'_>, field: &str) -> Result<Option<Many2one>> {
    let Some(raw) = from.raw(field) else {
        return Ok(None);
    };
    let sent = if raw.starts_with('[') {
        serde_json::from_str(raw).map(|(id, name)| (id, Some(name)))
    } else {
        serde_json::from_str(raw).map(|id| (id, None))
    };
    let (id, name): (u64, _) =
        sent.map_err(|_| invalid(from.path(field), "must be a reference such as [7, \"Acme\"]"))?;
    let id = id.to_string();
    Ok(Some(Many2one { id, name }))
}

/// The display name of what a field refers to.
pub(crate) fn name(from: &Fields<'_>, field: &str) -> Result<Option<String>> {
    Ok(read(from, field)?.and_then(|other| other.name))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_in_all_three_forms() {
        let text = r#"{"api": [7, "Acme"], "hook": 7, "none": false, "wrong": {"id": 7}}"#;
        let fields = Fields::parse(text, "").unwrap();
        assert_eq!(
            read(&fields, "api").unwrap().unwrap().name.as_deref(),
            Some("Acme")
        );
        assert_eq!(read(&fields, "hook").unwrap().unwrap().id, "7");
        assert_eq!(read(&fields, "none").unwrap(), None);
        assert!(read(&fields, "wrong").is_err());
    }
}
