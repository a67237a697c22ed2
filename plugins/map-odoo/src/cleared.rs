//! Fields that are to be emptied: in Odoo, with the columns that hold them, and as Odoo says it.

use cambist_sdk::prelude::*;

/// A canonical field and the columns that it fills.
pub(crate) type Columns = (&'static str, &'static [&'static str]);

/// Empties the columns of the fields that `change` clears. A field without a
/// column has nothing to empty.
pub(crate) fn empty(change: &Change, table: &[Columns], values: Values) -> Values {
    change.cleared.iter().fold(values, |values, field| {
        let found = table.iter().find(|(name, _)| name == field);
        let columns = found.map_or(&[][..], |(_, columns)| columns);
        columns.iter().fold(values, |values, column| values.empty(column))
    })
}

/// A canonical field and the fields of a record that fill it.
pub(crate) type Filled = (&'static str, &'static [&'static str]);

/// The fields that a record says are empty: something that fills them was read, and nothing of that has a value.
///
/// # Errors
///
/// A field is not what Odoo sends.
pub(crate) fn read(from: &Fields<'_>, table: &[Filled]) -> Result<Vec<String>> {
    let mut cleared = Vec::new();
    for (field, names) in table {
        let (mut there, mut filled) = (false, false);
        for name in *names {
            // a reference, with its name or with fields of its own
            let refers = from.raw(name).is_some_and(|raw| raw.starts_with(['[', '{']));
            let empty = if refers { Some(false) } else { from.emptied(name)? };
            there |= empty.is_some();
            filled |= empty == Some(false);
        }
        if there && !filled {
            cleared.push((*field).to_owned());
        }
    }
    Ok(cleared)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_and_has_no_value_is_empty() {
        let table: [Filled; 5] = [
            ("payment-terms", &["term"]),
            ("parent", &["parent"]),
            ("email", &["email"]),
            ("phone", &["phone"]),
            ("billing", &["street", "state"]),
        ];
        let of = |text: &str| read(&Fields::parse(text, "").unwrap(), &table).unwrap();
        let nothing: [&str; 0] = [];
        assert_eq!(
            of(r#"{"term": false, "parent": [7, "Acme"], "email": "", "street": false, "state": {"id": 1}}"#),
            ["payment-terms", "email"]
        );
        assert_eq!(of(r#"{"term": 7, "street": false}"#), ["billing"]);
        // of what was not read nothing is known
        assert_eq!(of("{}"), nothing);
    }
}
