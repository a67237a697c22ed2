//! Reads secrets from where the config says they are. The only place that does.

use std::{collections::BTreeMap, fs, path::Path};

use cambist_contract::secret::{Secret, SecretRef};

use crate::config::{Config, Problem};

/// The longest secret file that is read: a key is a line, and a mistaken path may
/// lead anywhere.
const MAX_FILE: u64 = 64 << 10;

/// Reads every secret that the config refers to.
///
/// # Errors
///
/// All that are missing or unusable, at once; never what is in them.
pub fn resolve(config: &Config, file: &Path) -> Result<BTreeMap<SecretRef, Secret>, Vec<Problem>> {
    let mut secrets = BTreeMap::new();
    let mut problems = Vec::new();
    let ingress = config
        .ingress
        .secret_refs()
        .map(|(system, reference)| (format!("system `{system}`"), reference));
    let connect = config
        .connect
        .secret_refs()
        .map(|(system, reference)| (format!("system `{system}`"), reference));
    let admin = [("the operators' side".to_owned(), &config.admin.token)];
    let otlp = config.otlp.iter().flat_map(|otlp| &otlp.authorization);
    let otlp = otlp.map(|reference| ("the collector of traces".to_owned(), reference));
    for (who, reference) in ingress.chain(connect).chain(admin).chain(otlp) {
        match read(reference) {
            Ok(secret) => {
                secrets.insert(reference.clone(), secret);
            }
            Err(why) => {
                problems.push(Problem::of_file(
                    file,
                    format!("{who} needs the {reference}: {why}"),
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(secrets)
    } else {
        Err(problems)
    }
}

fn read(reference: &SecretRef) -> Result<Secret, String> {
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
