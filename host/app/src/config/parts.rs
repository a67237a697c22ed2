//! What ingress, connect and admin find wrong with their options, and where in the
//! file that stands.
//!
//! Each crate checks its own options and knows nothing of the file; the setting that
//! an error is about is known here.

use std::collections::BTreeMap;

use cambist_admin::Admin;
use cambist_connect::{Systems, systems::SetupError as ConnectSetup};
use cambist_contract::secret::{Secret, SecretRef};
use cambist_ingress::{Ingress, SetupError as IngressSetup};

use super::{Config, Places, Problem};

/// Everything that the parts find wrong. What follows from a secret that could not
/// be had, or from a setting that could not be read, is told elsewhere.
pub(super) fn problems(
    config: &Config,
    secrets: &BTreeMap<SecretRef, Secret>,
    places: &Places,
) -> Vec<Problem> {
    let doors = Ingress::check(&config.ingress, secrets).err().unwrap_or_default();
    let doors = doors.iter().filter_map(|error| of_ingress(error, places));
    let systems = Systems::new(&config.connect, secrets, None)
        .err()
        .unwrap_or_default();
    let systems = systems.iter().filter_map(|error| of_connect(error, places));
    let token = secrets.get(&config.admin.token);
    let operators = token.and_then(|token| Admin::check(&config.admin, token).err());
    let operators = operators.map(|error| places.problem(&["admin", "token"], error.to_string()));
    let owners = config.ownership.problems().into_iter();
    let owners = owners.map(|(name, text)| {
        let text = format!("{text}; wit/v0.1.0/canonical.wit has them");
        places.problem(&["ownership", &name], text)
    });
    doors.chain(systems).chain(operators).chain(owners).collect()
}

fn of_ingress(error: &IngressSetup, places: &Places) -> Option<Problem> {
    let text = error.to_string();
    let at = |setting: &[&str]| {
        let setting: Vec<&str> = ["ingress"].iter().chain(setting).copied().collect();
        (!places.is_torn(&setting)).then(|| places.problem(&setting, text.clone()))
    };
    match error {
        // read elsewhere, and told there
        IngressSetup::Unresolved { .. } => None,
        IngressSetup::Range { option, .. } => at(&option.split('.').collect::<Vec<_>>()),
        IngressSetup::PublicUrl | IngressSetup::NoPublicUrl { .. } => at(&["public-url"]),
        IngressSetup::Name { system } => at(&["systems", system]),
        IngressSetup::NoSecret { system, what } => at(&["systems", system, what]),
        IngressSetup::Pointer { system, option } => at(&["systems", system, option]),
        IngressSetup::Secret {
            system, reference, ..
        }
        | IngressSetup::Token { system, reference } => {
            Some(places.problem_of_secret(&["ingress", "systems", system], reference, text))
        }
        _ => at(&[]),
    }
}

fn of_connect(error: &ConnectSetup, places: &Places) -> Option<Problem> {
    let at = |setting: &[&str]| {
        let setting: Vec<&str> = ["connect"].iter().chain(setting).copied().collect();
        (!places.is_torn(&setting)).then(|| places.problem(&setting, error.to_string()))
    };
    match error {
        // read elsewhere, and told there
        ConnectSetup::NoSecret { .. } => None,
        ConnectSetup::Address { system } | ConnectSetup::PlainHttp { system } => {
            at(&["systems", system, "address"])
        }
        ConnectSetup::Unsendable { system } => at(&["systems", system, "key"]),
        ConnectSetup::WriteTime { system } => at(&["systems", system, "write-time"]),
        _ => at(&[]),
    }
}
