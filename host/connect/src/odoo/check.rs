//! What is looked at before anything of a plan is sent.
//!
//! Names come from a plugin and become part of a path, beside our key: a model such as `..` would lead to another place of the
//! same server. So only what Odoo itself calls models and public methods is let through.

use cambist_contract::mapping::{Command, RecordKey};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind},
};
use crate::ConnectError;

/// Refuses a plan with a name in it that cannot be meant.
///
/// # Errors
///
/// The first such name.
pub(crate) fn plan(client: &OdooClient, plan: &[Command]) -> Result<(), ConnectError> {
    for command in plan {
        let about = About {
            model: command.model(),
            external_id: command.key().id(),
        };
        let checked = model(about.model)
            .and_then(|()| key(command.key()))
            .and_then(|()| match command {
                Command::Act(action) => method(&action.name),
                Command::Ensure(_) | Command::Upsert(_) | Command::Remove(_) => Ok(()),
            });
        checked.map_err(|fault| client.error(fault, about, Kind::Read))?;
    }
    Ok(())
}

/// Refuses what is no model: words of small letters, digits and `_` with dots between, a letter first.
///
/// # Errors
///
/// A misfit that says how to write one.
pub(crate) fn model(name: &str) -> Result<(), Fault> {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('.').all(|word| !word.is_empty() && is_word(word));
    fits.then_some(()).ok_or_else(|| {
        Fault::Misfit(format!(
            "`{}` is no model: write it as Odoo does, such as `res.partner`",
            name.escape_debug()
        ))
    })
}

/// Refuses what is no public method: small letters, digits and `_`, a letter first.
///
/// # Errors
///
/// A misfit that says how to write one.
pub(crate) fn method(name: &str) -> Result<(), Fault> {
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase()) && is_word(name);
    fits.then_some(()).ok_or_else(|| {
        Fault::Misfit(format!(
            "`{}` is no public method: name one of small letters, such as `action_confirm`; those that begin with `_` are \
             Odoo's own",
            name.escape_debug()
        ))
    })
}

/// Refuses a key by which no record is found here.
///
/// # Errors
///
/// A misfit that says how to write one.
fn key(key: &RecordKey) -> Result<(), Fault> {
    match key {
        RecordKey::External(id) => external_id(id),
        RecordKey::Own(id) if id.parse::<u32>().is_ok() => Ok(()),
        RecordKey::Own(id) => Err(Fault::Misfit(format!(
            "`#{}` is no id of Odoo's own: those are numbers",
            id.escape_debug()
        ))),
    }
}

/// Refuses an external id that Odoo would take for something else: empty, with white space or a comma, or more than one dot.
///
/// # Errors
///
/// A misfit that says how to write one.
fn external_id(id: &str) -> Result<(), Fault> {
    let wrong = id.is_empty()
        || id.chars().any(|letter| letter.is_whitespace() || letter == ',')
        || id.matches('.').count() > 1;
    match wrong {
        false => Ok(()),
        true => Err(Fault::Misfit(format!(
            "`{}` is no external id: write `module.name`, without white space and commas, with one dot",
            id.escape_debug()
        ))),
    }
}

fn is_word(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_odoo_pass_and_ways_to_elsewhere_do_not() {
        for name in [
            "res.partner",
            "sale.order.line",
            "x_studio_thing",
            "l10n_in.port.code",
        ] {
            assert_eq!(model(name), Ok(()), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../../web",
            "res..partner",
            ".res",
            "res.",
            "res/partner",
            "Res",
            "res%2f",
            "é",
        ] {
            assert!(model(name).is_err(), "{name}");
        }
        for name in ["write", "action_confirm", "button_draft2"] {
            assert_eq!(method(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "_write",
            "__class__",
            "a.b",
            "../x",
            "a/b",
            "a?b",
            "a b",
            "Write",
            "2nd",
        ] {
            assert!(method(name).is_err(), "{name}");
        }
    }
}
