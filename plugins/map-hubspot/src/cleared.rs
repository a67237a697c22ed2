//! What somebody has emptied in HubSpot, to be emptied in the target as well.

use cambist_sdk::prelude::*;

/// A field of the contract, and the properties that fill it.
pub(crate) type Filled<'a> = (&'static str, &'a [&'a str]);

/// The fields to be emptied: those of whose properties at least one is shown, and
/// all that are shown are empty.
///
/// HubSpot shows each property that it was asked for and knows, `null` or an empty
/// text where there is nothing in it. What is not shown was not asked for, and
/// nothing is known of it.
///
/// # Errors
///
/// A property is an object or a list.
pub(crate) fn fields(from: &Fields<'_>, table: &[Filled<'_>]) -> Result<Vec<String>> {
    let mut cleared = Vec::new();
    for (field, properties) in table {
        let (mut there, mut filled) = (false, false);
        for property in *properties {
            if let Some(empty) = from.emptied(property)? {
                there = true;
                filled |= !empty;
            }
        }
        if there && !filled {
            cleared.push((*field).to_owned());
        }
    }
    Ok(cleared)
}
