//! Events that change more than one object's fields, and are not mapped yet.

use cambist_sdk::prelude::*;

/// Passes creations, property changes, association changes, merges and restorations:
/// after each of them the object as it stands now is what counts.
///
/// # Errors
///
/// [`Fault::Unhandled`] for the others, with the reason.
pub(crate) fn refuse_what_is_not_mapped(event: &str) -> Result<()> {
    let happened = event.rsplit_once('.').map_or(event, |(_, happened)| happened);
    let reason = match happened {
        "deletion" => "a deletion in HubSpot does not undo what was agreed; cancel it in the ERP",
        "privacyDeletion" => "a privacy deletion is carried out by people, in every system",
        _ => return Ok(()),
    };
    Err(unhandled(reason))
}
