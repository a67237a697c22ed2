//! From options and secrets to doors: every problem at once, each with its place
//! and the way out.

use std::collections::BTreeMap;

use cambist_contract::secret::{Secret, SecretRef};
use governor::{Quota, RateLimiter};
use thiserror::Error;
use url::Url;

use crate::{
    hubspot::HubSpot,
    ingress::{Door, Scheme},
    metrics::UNKNOWN_SYSTEM,
    odoo::{Odoo, Token},
    options::{self, BODY_LIMIT_RANGE, Options, Rate, Sender},
    standard::{self, SecretForm, Standard},
};

/// Longest name of a system: a DNS label's length, as names end up in addresses.
const NAME_LENGTH: usize = 63;

/// Most calls at once that can be asked for. At the smallest body limit they hold
/// 256 MiB.
const CALLS_AT_ONCE_LIMIT: usize = 65_536;

/// The options, or the secrets behind them, do not make an ingress.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A number is not in its range.
    #[error("`ingress.{option}` must be {range}")]
    Range {
        /// The option.
        option: String,
        /// What it must be.
        range: String,
    },
    /// The public address cannot be one.
    #[error("`ingress.public-url` must be http or https, without user, query and fragment")]
    PublicUrl,
    /// HubSpot signs the public address, and there is none.
    #[error("`ingress.public-url` is missing; HubSpot, system `{system}`, signs the address it calls")]
    NoPublicUrl {
        /// The system that needs it.
        system: String,
    },
    /// The name of a system cannot be part of an address.
    #[error("system `{system}` needs another name: 1 to 63 of a-z, 0-9 and -, and not `unknown`")]
    Name {
        /// The name.
        system: String,
    },
    /// A system has no secret, so that nothing could prove who calls.
    #[error("system `{system}` has no {what}; name at least one")]
    NoSecret {
        /// The system.
        system: String,
        /// What it lacks.
        what: &'static str,
    },
    /// The value of a secret was not handed in.
    #[error("system `{system}`: the {reference} has not been read")]
    Unresolved {
        /// The system.
        system: String,
        /// Where the secret is.
        reference: SecretRef,
    },
    /// A secret is not one that Standard Webhooks can use.
    #[error("system `{system}`: the secret in {reference} {form}")]
    Secret {
        /// The system.
        system: String,
        /// Where the secret is.
        reference: SecretRef,
        /// What is wrong with it.
        form: SecretForm,
    },
    /// A token is one that can be guessed, or that an address would change.
    #[error(
        "system `{system}`: the token in {reference} must be 22 to 256 of A-Z, a-z, 0-9, - and _; \
         `openssl rand -hex 16` makes one"
    )]
    Token {
        /// The system.
        system: String,
        /// Where the token is.
        reference: SecretRef,
    },
    /// A JSON pointer is none.
    #[error("system `{system}`: `{option}` must be a JSON pointer, such as `/data/id`")]
    Pointer {
        /// The system.
        system: String,
        /// The option.
        option: &'static str,
    },
}

/// Builds a door for every system.
pub(crate) fn doors(
    options: &Options,
    secrets: &BTreeMap<SecretRef, Secret>,
) -> Result<BTreeMap<String, Door>, Vec<SetupError>> {
    let mut problems = Vec::new();
    check_ranges(options, &mut problems);
    if options.public_url.as_ref().is_some_and(|url| !is_base(url)) {
        problems.push(SetupError::PublicUrl);
    }
    let mut doors = BTreeMap::new();
    for (name, sender) in &options.systems {
        if !is_system_name(name) {
            problems.push(SetupError::Name { system: name.clone() });
        }
        let mut site = Site {
            system: name,
            secrets,
            problems: &mut problems,
        };
        let built = match sender {
            Sender::HubSpot(hubspot) => site.hubspot(hubspot, options.public_url.as_ref()),
            Sender::StandardWebhooks(standard) => site.standard(standard),
            Sender::Odoo(odoo) => site.odoo(odoo),
        };
        if let Some(door) = built {
            doors.insert(name.clone(), door);
        }
    }
    if problems.is_empty() {
        Ok(doors)
    } else {
        Err(problems)
    }
}

fn check_ranges(options: &Options, problems: &mut Vec<SetupError>) {
    let mut check = |fits: bool, option: &str, range: String| {
        if !fits {
            problems.push(SetupError::Range {
                option: option.to_owned(),
                range,
            });
        }
    };
    let (low, high) = (BODY_LIMIT_RANGE.start(), BODY_LIMIT_RANGE.end());
    check(
        BODY_LIMIT_RANGE.contains(&options.body_limit),
        "body-limit",
        format!("{low} to {high} bytes"),
    );
    check(options.body_time_ms > 0, "body-time-ms", "at least 1".to_owned());
    let calls = 1..=CALLS_AT_ONCE_LIMIT;
    check(
        calls.contains(&options.calls_at_once),
        "calls-at-once",
        format!("1 to {CALLS_AT_ONCE_LIMIT}"),
    );
    for (name, sender) in &options.systems {
        if let Sender::HubSpot(hubspot) = sender {
            let option = format!("systems.{name}.batch-limit");
            check(hubspot.batch_limit > 0, &option, "at least 1".to_owned());
        }
    }
}

/// One system that is being set up, and where its problems go.
struct Site<'s> {
    system: &'s str,
    secrets: &'s BTreeMap<SecretRef, Secret>,
    problems: &'s mut Vec<SetupError>,
}

impl<'s> Site<'s> {
    fn hubspot(&mut self, hubspot: &options::HubSpot, public_url: Option<&Url>) -> Option<Door> {
        let secrets = self.resolve(&hubspot.secrets, "secrets");
        let secrets: Vec<_> = secrets.into_iter().map(|(_, secret)| secret.clone()).collect();
        let Some(public_url) = public_url else {
            self.problems.push(SetupError::NoPublicUrl {
                system: self.system.to_owned(),
            });
            return None;
        };
        let scheme = Scheme::HubSpot(HubSpot::new(&secrets, public_url, hubspot.batch_limit));
        Some(Door {
            scheme,
            pace: pace(hubspot.rate),
        })
    }

    fn standard(&mut self, options: &options::StandardWebhooks) -> Option<Door> {
        let object = options.object.as_ref().map(|pointer| ("object", pointer));
        let pointers = [("event", &options.event), ("id", &options.id)]
            .into_iter()
            .chain(object);
        for (option, pointer) in pointers {
            if !is_pointer(pointer) {
                self.problems.push(SetupError::Pointer {
                    system: self.system.to_owned(),
                    option,
                });
            }
        }
        let mut keys = Vec::new();
        for (reference, secret) in self.resolve(&options.secrets, "secrets") {
            match standard::key(secret) {
                Ok(key) => keys.push(key),
                Err(form) => {
                    let (system, reference) = (self.system.to_owned(), reference.clone());
                    self.problems.push(SetupError::Secret {
                        system,
                        reference,
                        form,
                    });
                }
            }
        }
        Some(Door {
            scheme: Scheme::Standard(Standard::new(keys, options)),
            pace: pace(options.rate),
        })
    }

    fn odoo(&mut self, options: &options::Odoo) -> Option<Door> {
        let mut tokens = Vec::new();
        for (reference, secret) in self.resolve(&options.tokens, "tokens") {
            match Token::new(secret) {
                Some(token) => tokens.push(token),
                None => {
                    let (system, reference) = (self.system.to_owned(), reference.clone());
                    self.problems.push(SetupError::Token { system, reference });
                }
            }
        }
        Some(Door {
            scheme: Scheme::Odoo(Odoo::new(tokens)),
            pace: pace(options.rate),
        })
    }

    /// The values behind the references, as far as they are known.
    fn resolve<'r>(&mut self, refs: &'r [SecretRef], what: &'static str) -> Vec<(&'r SecretRef, &'s Secret)> {
        if refs.is_empty() {
            self.problems.push(SetupError::NoSecret {
                system: self.system.to_owned(),
                what,
            });
        }
        let mut known = Vec::new();
        for reference in refs {
            match self.secrets.get(reference) {
                Some(secret) => known.push((reference, secret)),
                None => {
                    let (system, reference) = (self.system.to_owned(), reference.clone());
                    self.problems.push(SetupError::Unresolved { system, reference });
                }
            }
        }
        known
    }
}

fn pace(rate: Rate) -> governor::DefaultDirectRateLimiter {
    RateLimiter::direct(Quota::per_second(rate.per_second).allow_burst(rate.burst))
}

fn is_system_name(name: &str) -> bool {
    let plain = name
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    (1..=NAME_LENGTH).contains(&name.len()) && plain && name != UNKNOWN_SYSTEM
}

fn is_base(url: &Url) -> bool {
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && plain && bare
}

/// RFC 6901, section 3. The empty pointer, the whole document, names no field.
fn is_pointer(text: &str) -> bool {
    let escapes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    text.starts_with('/') && escapes
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn problems(config: &str, secrets: &[(&str, &str)]) -> Vec<String> {
        let options = toml::from_str(config).unwrap();
        let secrets = secrets
            .iter()
            .map(|(name, value)| (SecretRef::Env((*name).to_owned()), Secret::parse(value).unwrap()))
            .collect();
        doors(&options, &secrets)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let config = r#"
            public-url = "https://user@example.com/?a=b"
            body-limit = 1
            calls-at-once = 0
            [systems.Deals]
            kind = "hubspot"
            secrets = []
            batch-limit = 0
            [systems.psa]
            kind = "standard-webhooks"
            secrets = [{ env = "SHORT" }, { env = "GONE" }]
            event = "type"
            id = "/a~2"
            [systems.odoo]
            kind = "odoo"
            tokens = [{ env = "SHORT" }]
        "#;
        let text = problems(config, &[("SHORT", "aHVudGVyMg==")]).join("\n");
        assert_eq!(
            text,
            "`ingress.body-limit` must be 4096 to 16777216 bytes\n\
             `ingress.calls-at-once` must be 1 to 65536\n\
             `ingress.systems.Deals.batch-limit` must be at least 1\n\
             `ingress.public-url` must be http or https, without user, query and fragment\n\
             system `Deals` needs another name: 1 to 63 of a-z, 0-9 and -, and not `unknown`\n\
             system `Deals` has no secrets; name at least one\n\
             system `odoo`: the token in environment variable SHORT must be 22 to 256 of A-Z, a-z, 0-9, - and _; \
             `openssl rand -hex 16` makes one\n\
             system `psa`: `event` must be a JSON pointer, such as `/data/id`\n\
             system `psa`: `id` must be a JSON pointer, such as `/data/id`\n\
             system `psa`: the environment variable GONE has not been read\n\
             system `psa`: the secret in environment variable SHORT has 7 bytes; the specification asks for 24 to 64"
        );
        assert!(!text.contains("aHVudGVyMg"), "no secret is shown");
    }

    #[test]
    fn hubspot_needs_to_know_its_address() {
        let config = "[systems.de]\nkind = \"hubspot\"\nsecrets = [{ env = \"S\" }]";
        assert_eq!(
            problems(config, &[("S", "secret")]),
            ["`ingress.public-url` is missing; HubSpot, system `de`, signs the address it calls"]
        );
    }

    #[test]
    fn nothing_at_all_is_an_ingress_that_takes_nothing() {
        assert!(problems("", &[]).is_empty());
    }
}
