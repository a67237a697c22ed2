//! The systems of a host: from options and secrets to sources and targets, every problem at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use cambist_contract::secret::{Secret, SecretRef};
use thiserror::Error;
use url::{Host, Url};

use crate::{
    Source, Target,
    books::Books,
    breaker::Terms,
    dry_run::DryRun,
    http::{self, Traced},
    hubspot::{HubSpotClient, HubSpotDeals, HubSpotSource, HubSpotTarget},
    line::{Bounds, Line},
    odoo::{OdooBooks, OdooChanges, OdooHints, OdooTarget},
    options::{self, Options, System},
    poll::Poll,
    retry::Schedule,
    sales::Sales,
    span::Span,
};

/// The shortest time that a write to Odoo may be given: Odoo itself tries a lost race again for up to a minute, and a write
/// that we gave up on is carried out all the same.
pub const LEAST_WRITE_TIME: Duration = Duration::from_secs(90);

/// The options, or the secrets behind them, do not make a system.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address cannot be one.
    #[error("`connect.systems.{system}.address` must be http or https, without user, query and fragment")]
    Address {
        /// The system.
        system: String,
    },
    /// The key would travel in the open.
    #[error(
        "`connect.systems.{system}.address` must be https, because the key travels there; or set `allow-plain-http`"
    )]
    PlainHttp {
        /// The system.
        system: String,
    },
    /// The secret was not handed in.
    #[error("system `{system}` needs the {place}, which holds no secret")]
    NoSecret {
        /// The system.
        system: String,
        /// Where the secret should be.
        place: String,
    },
    /// Key or database's name cannot be sent.
    #[error("the key of system `{system}`, or its database's name, has characters that cannot be sent")]
    Unsendable {
        /// The system.
        system: String,
    },
    /// Writes get too little time.
    #[error("`connect.systems.{system}.write-time` must be 90s or more: Odoo itself may try for a minute")]
    WriteTime {
        /// The system.
        system: String,
    },
    /// The name of the unique property cannot be one.
    #[error(
        "`connect.systems.{system}.unique-property` must be a property's internal name: small letters, digits and `_`, a letter \
         first"
    )]
    UniqueProperty {
        /// The system.
        system: String,
    },
    /// The breaker's numbers contradict each other.
    #[error(
        "`connect.systems.{system}.breaker` needs a `share` of 1 to 100, an `at-least` up to `of-last` and a `wait` up to \
         `longest-wait`"
    )]
    Breaker {
        /// The system.
        system: String,
    },
    /// The machine cannot check certificates.
    #[error("cannot set up TLS: {reason}; install the machine's CA certificates")]
    Tls {
        /// What the library said.
        reason: String,
    },
}

/// Sources and targets by the system's name.
#[derive(Clone, Default)]
pub struct Systems {
    sources: BTreeMap<String, Arc<dyn Source>>,
    targets: BTreeMap<String, Arc<dyn Target>>,
    polled: BTreeMap<String, Arc<dyn Poll>>,
    sales: BTreeMap<String, Arc<dyn Sales>>,
    books: BTreeMap<String, Arc<dyn Books>>,
    lines: BTreeMap<String, Line>,
    schedule: Schedule,
    schedules: BTreeMap<String, Schedule>,
}

impl Systems {
    /// Makes every system that the options name. Nothing is called yet. `traced` is asked at each call, where calls are
    /// to tell which trace they are part of.
    ///
    /// # Errors
    ///
    /// All that is wrong with the options.
    pub fn new(
        options: &Options,
        secrets: &BTreeMap<SecretRef, Secret>,
        traced: Option<Traced>,
    ) -> Result<Self, Vec<SetupError>> {
        let client = http::Client::new(traced).map_err(|error| {
            vec![SetupError::Tls {
                reason: error.to_string(),
            }]
        })?;
        let mut systems = Self::default();
        if let Some(waits) = &options.waits {
            systems.schedule = schedule(waits);
        }
        let mut problems = Vec::new();
        for (name, system) in &options.systems {
            let made = match system {
                System::HubSpot(hubspot) => systems.hubspot(&client, name, hubspot, secrets),
                System::Odoo(odoo) => systems.odoo(&client, name, odoo, secrets),
                System::DryRun(_) => {
                    systems.insert_target(name, Arc::new(DryRun));
                    Ok(())
                }
            };
            problems.extend(made.err().into_iter().flatten());
        }
        if problems.is_empty() {
            Ok(systems)
        } else {
            Err(problems)
        }
    }

    /// The source of this name; none when there is no such system, or nothing can be read from it.
    pub fn source(&self, name: &str) -> Option<Arc<dyn Source>> {
        self.sources.get(name).cloned()
    }

    /// The target of this name; none when there is no such system, or nothing can be written to it.
    pub fn target(&self, name: &str) -> Option<Arc<dyn Target>> {
        self.targets.get(name).cloned()
    }

    /// The systems that are asked what has changed, by their names.
    pub fn polled(&self) -> impl Iterator<Item = (&str, Arc<dyn Poll>)> {
        let all = self.polled.iter();
        all.map(|(name, poll)| (name.as_str(), Arc::clone(poll)))
    }

    /// The deals of this system; none when it has none that could be compared.
    pub fn sales(&self, name: &str) -> Option<Arc<dyn Sales>> {
        self.sales.get(name).cloned()
    }

    /// The books of this system; none when it has none that could be compared.
    pub fn books(&self, name: &str) -> Option<Arc<dyn Books>> {
        self.books.get(name).cloned()
    }

    /// The names of all sources.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// The names of all targets.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.targets.keys().map(String::as_str)
    }

    /// How long to wait between attempts at a system; of a name that it does not know, between those at any.
    pub fn schedule(&self, name: &str) -> &Schedule {
        self.schedules.get(name).unwrap_or(&self.schedule)
    }

    /// The line before the system of this name; none where it bears whatever comes.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.get(name)
    }

    /// All lines, by their systems' names.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.lines.iter().map(|(name, line)| (name.as_str(), line))
    }

    /// Puts a line before a system, or another in its place.
    pub fn insert_line(&mut self, name: &str, line: Line) {
        self.lines.insert(name.to_owned(), line);
    }

    /// Puts a source in, or another in its place: for tests, and for kinds of system that are made elsewhere.
    pub fn insert_source(&mut self, name: &str, source: Arc<dyn Source>) {
        self.sources.insert(name.to_owned(), source);
    }

    /// Puts a target in, or another in its place.
    pub fn insert_target(&mut self, name: &str, target: Arc<dyn Target>) {
        self.targets.insert(name.to_owned(), target);
    }

    /// Has a system be asked what has changed, or another in its place.
    pub fn insert_polled(&mut self, name: &str, poll: Arc<dyn Poll>) {
        self.polled.insert(name.to_owned(), poll);
    }

    /// Has a system have deals, or others in their place.
    pub fn insert_sales(&mut self, name: &str, sales: Arc<dyn Sales>) {
        self.sales.insert(name.to_owned(), sales);
    }

    /// Has a system have books, or others in their place.
    pub fn insert_books(&mut self, name: &str, books: Arc<dyn Books>) {
        self.books.insert(name.to_owned(), books);
    }

    fn hubspot(
        &mut self,
        client: &http::Client,
        name: &str,
        options: &options::HubSpot,
        secrets: &BTreeMap<SecretRef, Secret>,
    ) -> Result<(), Vec<SetupError>> {
        let mut problems = Vec::new();
        let key = key(name, &options.key, secrets, &mut problems);
        check_address(name, &options.address, false, &mut problems);
        check_breaker(name, &options.breaker, &mut problems);
        if !is_property(&options.unique_property) {
            problems.push(SetupError::UniqueProperty {
                system: name.to_owned(),
            });
        }
        let Some(key) = key.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let bounds = Bounds {
            at_once: options.at_once,
            rate: options.rate,
            breaker: options.breaker.clone(),
        };
        // reads and writes of one account share it
        let line = self.line_for(name, bounds, options.waits.as_deref());
        let (address, time) = (options.address.clone(), options.read_time.get());
        let hubspot = HubSpotClient::new(client.clone(), name, address, key, time, line.clone())
            .map_err(|_| unsendable(name))?;
        self.insert_source(
            name,
            Arc::new(HubSpotSource::new(
                hubspot.clone(),
                &options.properties,
                line.clone(),
            )),
        );
        self.insert_sales(name, Arc::new(HubSpotDeals::new(hubspot.clone(), line.clone())));
        self.insert_target(
            name,
            Arc::new(HubSpotTarget::new(hubspot, &options.unique_property, line)),
        );
        Ok(())
    }

    fn odoo(
        &mut self,
        client: &http::Client,
        name: &str,
        options: &options::Odoo,
        secrets: &BTreeMap<SecretRef, Secret>,
    ) -> Result<(), Vec<SetupError>> {
        let mut problems = Vec::new();
        let key = key(name, &options.key, secrets, &mut problems);
        check_address(name, &options.address, options.allow_plain_http, &mut problems);
        check_breaker(name, &options.breaker, &mut problems);
        if options.write_time.get() < LEAST_WRITE_TIME {
            problems.push(SetupError::WriteTime {
                system: name.to_owned(),
            });
        }
        let Some(key) = key.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let bounds = Bounds {
            at_once: options.at_once,
            rate: options.rate,
            breaker: options.breaker.clone(),
        };
        // reads and writes of one database share it
        let line = self.line_for(name, bounds, options.waits.as_deref());
        let odoo = crate::odoo::connect(client.clone(), name, options, key, line.clone())
            .map_err(|_| unsendable(name))?;
        self.insert_source(
            name,
            Arc::new(OdooHints::new(
                odoo.clone(),
                options.fields.clone(),
                options.bills.clone(),
                line.clone(),
            )),
        );
        if let Some(poll) = options.poll.clone() {
            let mut fields = options.fields.clone();
            if let Some(bills) = &options.bills {
                fields.extend(bills.fields());
            }
            let changes = OdooChanges::new(odoo.clone(), poll, fields, line.clone());
            self.insert_polled(name, Arc::new(changes));
        }
        self.insert_books(name, Arc::new(OdooBooks::new(odoo.clone(), line.clone())));
        self.insert_target(name, Arc::new(OdooTarget::new(odoo, line)));
        Ok(())
    }

    fn line_for(&mut self, name: &str, bounds: Bounds, waits: Option<&[Span]>) -> Line {
        if let Some(waits) = waits {
            self.schedules.insert(name.to_owned(), schedule(waits));
        }
        let line = Line::new(name, bounds);
        self.insert_line(name, line.clone());
        line
    }
}

fn schedule(waits: &[Span]) -> Schedule {
    Schedule::new(waits.iter().map(|wait| wait.get()).collect())
}

fn check_breaker(name: &str, terms: &Terms, problems: &mut Vec<SetupError>) {
    if !terms.make_sense() {
        problems.push(SetupError::Breaker {
            system: name.to_owned(),
        });
    }
}

fn unsendable(name: &str) -> Vec<SetupError> {
    vec![SetupError::Unsendable {
        system: name.to_owned(),
    }]
}

fn key<'s>(
    name: &str,
    place: &SecretRef,
    secrets: &'s BTreeMap<SecretRef, Secret>,
    problems: &mut Vec<SetupError>,
) -> Option<&'s Secret> {
    let key = secrets.get(place);
    if key.is_none() {
        problems.push(SetupError::NoSecret {
            system: name.to_owned(),
            place: place.to_string(),
        });
    }
    key
}

fn check_address(name: &str, address: &Url, plain_allowed: bool, problems: &mut Vec<SetupError>) {
    let bare = address.username().is_empty()
        && address.password().is_none()
        && address.query().is_none()
        && address.fragment().is_none();
    let system = name.to_owned();
    match address.scheme() {
        "https" if bare => {}
        "http" if bare => {
            if !plain_allowed && !is_this_machine(address) {
                problems.push(SetupError::PlainHttp { system });
            }
        }
        _ => problems.push(SetupError::Address { system }),
    }
}

/// Whether it can be the internal name of a HubSpot property.
fn is_property(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

fn is_this_machine(address: &Url) -> bool {
    match address.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn problems(config: &str) -> Vec<String> {
        let options: Options = toml::from_str(config).unwrap();
        let secrets = BTreeMap::from([(
            SecretRef::Env("KEY".to_owned()),
            Secret::parse("hunter2").unwrap(),
        )]);
        match Systems::new(&options, &secrets, None) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    fn odoo(more: &str) -> String {
        format!("[systems.o]\nkind = \"odoo\"\ndatabase = \"d\"\nkey = {{ env = \"KEY\" }}\n{more}")
    }

    #[test]
    fn a_key_does_not_travel_in_the_open_unless_that_is_said() {
        let https = r#"address = "https://odoo.example.com""#;
        let plain = r#"address = "http://odoo.example.com""#;
        assert!(problems(&odoo(https)).is_empty());
        assert_eq!(
            problems(&odoo(plain)),
            [
                "`connect.systems.o.address` must be https, because the key travels there; or set `allow-plain-http`"
            ]
        );
        assert!(problems(&odoo(&format!("{plain}\nallow-plain-http = true"))).is_empty());
        for here in ["http://127.0.0.1:8069", "http://localhost", "http://[::1]:1"] {
            assert!(
                problems(&odoo(&format!("address = \"{here}\""))).is_empty(),
                "{here}"
            );
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let config = "[systems.o]\nkind = \"odoo\"\naddress = \"ftp://u@x\"\ndatabase = \"d\"\n\
            key = { env = \"NONE\" }\nwrite-time = \"10s\"\n[systems.h]\nkind = \"hubspot\"\nkey = { env = \"NONE\" }";
        assert_eq!(
            problems(config),
            [
                "system `h` needs the environment variable NONE, which holds no secret",
                "system `o` needs the environment variable NONE, which holds no secret",
                "`connect.systems.o.address` must be http or https, without user, query and fragment",
                "`connect.systems.o.write-time` must be 90s or more: Odoo itself may try for a minute",
            ]
        );
    }

    #[test]
    fn the_unique_property_must_be_able_to_be_one() {
        let hubspot = |name: &str| {
            problems(&format!(
                "[systems.h]\nkind = \"hubspot\"\nkey = {{ env = \"KEY\" }}\nunique-property = \"{name}\""
            ))
        };
        assert!(hubspot("odoo_id2").is_empty());
        for name in ["", "Odoo Id", "2nd", "a-b"] {
            assert_eq!(
                hubspot(name),
                [
                    "`connect.systems.h.unique-property` must be a property's internal name: small letters, digits and `_`, a \
                     letter first"
                ],
                "{name}"
            );
        }
    }

    #[test]
    fn each_system_may_have_a_schedule_and_a_breaker_of_its_own() {
        let config = format!(
            "waits = [\"2s\"]\n{}",
            odoo(
                "address = \"https://o.example\"\nwaits = []\nrate = 5\nbreaker = { on = false }\n[systems.p]\nkind = \"odoo\"\n\
                 database = \"d\"\nkey = { env = \"KEY\" }\naddress = \"https://p.example\"\nbreaker = { share = 0 }"
            )
        );
        assert_eq!(
            problems(&config),
            [
                "`connect.systems.p.breaker` needs a `share` of 1 to 100, an `at-least` up to `of-last` and a `wait` up to \
                 `longest-wait`"
            ]
        );
        let options: Options = toml::from_str(&config.replace("share = 0", "share = 20")).unwrap();
        let secrets = BTreeMap::from([(
            SecretRef::Env("KEY".to_owned()),
            Secret::parse("hunter2").unwrap(),
        )]);
        let systems = Systems::new(&options, &secrets, None).unwrap();
        let message = cambist_contract::message::MessageId::from_text("m");
        let again = cambist_contract::delivery::NextTry::SendAgain { not_before: None };
        let waits = |name| systems.schedule(name).next(1, &message, again);
        assert_eq!(waits("o"), None, "its own list is empty");
        let wait = waits("p").unwrap();
        assert!((1600..=2400).contains(&wait.as_millis()), "{wait:?}");
        assert!(systems.line("o").is_some() && systems.line("x").is_none());
    }

    #[test]
    fn hubspot_and_odoo_are_read_from_and_written_to_and_a_dry_run_only_written_to() {
        let config = odoo(
            "address = \"https://o.example\"\n[systems.d]\nkind = \"dry-run\"\n[systems.h]\nkind = \"hubspot\"\n\
             key = { env = \"KEY\" }",
        );
        let options: Options = toml::from_str(&config).unwrap();
        let secrets = BTreeMap::from([(
            SecretRef::Env("KEY".to_owned()),
            Secret::parse("hunter2").unwrap(),
        )]);
        let systems = Systems::new(&options, &secrets, None).unwrap();
        assert_eq!(systems.sources().collect::<Vec<_>>(), ["h", "o"]);
        assert_eq!(systems.targets().collect::<Vec<_>>(), ["d", "h", "o"]);
        assert!(systems.source("d").is_none() && systems.target("x").is_none());
    }
}
