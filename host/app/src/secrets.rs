//! Reads secrets from where the config, or an operator's option, says they are. The only place
//! that does.

use std::{collections::BTreeMap, fs};

use anyhow::{Result, anyhow};
use cambist_contract::secret::{Secret, SecretRef};

use crate::config::{Config, Places, Problem, Reach};

/// The longest secret file that is read: a key is a line, and a mistaken path may
/// lead anywhere.
const MAX_FILE: u64 = 64 << 10;

/// Reads every secret that the config refers to. With those that it could read come
/// all that are missing or unusable, at once; never what is in them.
pub fn resolve(config: &Config, places: &Places) -> (BTreeMap<SecretRef, Secret>, Vec<Problem>) {
    let mut secrets = BTreeMap::new();
    let mut problems = Vec::new();
    let mut take = |setting: &[&str], who: &str, reference: &SecretRef| match read(reference) {
        Ok(secret) => {
            secrets.insert(reference.clone(), secret);
        }
        Err(why) => {
            let text = format!("{who} needs the {reference}: {why}");
            problems.push(places.problem_of_secret(setting, reference, text));
        }
    };
    for (system, reference) in config.ingress.secret_refs() {
        let who = format!("system `{system}`");
        take(&["ingress", "systems", system], &who, reference);
    }
    for (system, reference) in config.connect.secret_refs() {
        let who = format!("system `{system}`");
        take(&["connect", "systems", system], &who, reference);
    }
    if let Some(authorization) = config.otlp.as_ref().and_then(|otlp| otlp.authorization.as_ref()) {
        let setting = ["otlp", "authorization"];
        take(&setting, "the collector of traces", authorization);
    }
    if !places.is_lost(&["admin"]) {
        take(&["admin", "token"], "the operators' side", &config.admin.token);
    }
    (secrets, problems)
}

/// Reads the operators' token, and nothing else: whoever operates a host need not
/// know the secrets of its systems.
///
/// # Errors
///
/// It is missing or unusable.
pub fn admin_token(reach: &Reach) -> Result<Secret> {
    let reference = reach.token()?;
    read(reference).map_err(|why| anyhow!("the operators' side needs the {reference}: {why}"))
}

/// Reads one secret. What is wrong with it is told, never what is in it.
pub(crate) fn read(reference: &SecretRef) -> Result<Secret, String> {
    let text = match reference {
        SecretRef::Env(name) => std::env::var(name).map_err(|_| "it is not set".to_owned())?,
        SecretRef::File(path) => {
            let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
            if size > MAX_FILE {
                return Err("it is too large for a secret".to_owned());
            }
            fs::read_to_string(path).map_err(|error| error.to_string())?
        }
    };
    Secret::parse(&text).map_err(|error| error.to_string())
}
