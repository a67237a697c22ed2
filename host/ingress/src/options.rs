//! What can be set: the `[ingress]` part of the config, and its manual.
//!
//! Only the shapes and the defaults. Whether they make sense together is checked
//! in [`setup`](crate::setup), which names every problem at once.

use std::{collections::BTreeMap, num::NonZeroU32};

use cambist_contract::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

/// Largest body of one call, in bytes, where nothing else is set: 1 MiB.
///
/// A full HubSpot batch of 100 events is some 40 kB, Standard Webhooks asks
/// senders to stay under 20 kB, an Odoo hint has the fields that somebody ticked.
/// The limits of a plugin call are argued from this number.
pub const BODY_LIMIT: usize = 1 << 20;

/// The range that [`Options::body_limit`] may be set in: below 4 KiB no real batch
/// fits, and above 16 MiB a plugin call could not take the message across.
pub const BODY_LIMIT_RANGE: std::ops::RangeInclusive<usize> = 4 << 10..=16 << 20;

/// Most events in one HubSpot call, where nothing else is set: HubSpot documents
/// batches of up to 100.
pub const BATCH_LIMIT: usize = 100;

/// How long a body may take to arrive, in milliseconds, where nothing else is
/// set: 5 s. HubSpot itself waits 5 s for the whole answer.
pub const BODY_TIME_MS: u64 = 5_000;

/// Calls worked on at once, where nothing else is set: 256. At the default body
/// limit they hold at most 256 MiB.
pub const CALLS_AT_ONCE: usize = 256;

/// Calls per second of one system, where nothing else is set. HubSpot sends ten
/// at once by default; a bulk import at 100 events a call fills the journal long
/// before this.
pub const RATE_PER_SECOND: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Calls that may come at once before the rate counts, where nothing else is set.
pub const RATE_BURST: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// How messages come in.
///
/// ```toml
/// [ingress]
/// public-url = "https://hooks.example.com"
///
/// [ingress.systems.hubspot-de]
/// kind = "hubspot"
/// secrets = [{ env = "HUBSPOT_DE_CLIENT_SECRET" }]
///
/// [ingress.systems.psa]
/// kind = "standard-webhooks"
/// secrets = [{ file = "/run/secrets/psa-new" }, { file = "/run/secrets/psa-old" }]
/// id = "/data/project/id"
///
/// [ingress.systems.odoo-de]
/// kind = "odoo"
/// tokens = [{ env = "ODOO_DE_HOOK_TOKEN" }]
/// rate = { per-second = 20, burst = 500 }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Options {
    /// The address under which the outside reaches this host, without the
    /// `/in/…`; with a path when a proxy takes one away. HubSpot signs the address
    /// it calls, so it must be written as it is written at HubSpot. Needed as soon
    /// as one system is of kind `hubspot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// Largest body of one call, in bytes; 4 KiB to 16 MiB. Default 1 MiB. A larger
    /// one is answered 413.
    pub body_limit: usize,
    /// How long a body may take to arrive, in milliseconds. Default 5000. A slower
    /// one is answered 408.
    pub body_time_ms: u64,
    /// Calls worked on at once; one more is answered 503. Default 256.
    pub calls_at_once: usize,
    /// Who may call, by the system's name: 1 to 63 of `a-z`, `0-9` and `-`. The
    /// name is part of the address: `/in/hubspot-de`.
    pub systems: BTreeMap<String, Sender>,
}

/// One system that may call, by how it proves who it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Sender {
    /// HubSpot webhooks with the v3 signature, at `/in/{system}`.
    #[serde(rename = "hubspot")]
    HubSpot(HubSpot),
    /// Anything that follows Standard Webhooks 1.0 with `v1` signatures, at
    /// `/in/{system}`.
    StandardWebhooks(StandardWebhooks),
    /// Odoo's "Send Webhook Notification", at `/in/{system}/{token}`.
    Odoo(Odoo),
}

/// A HubSpot app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HubSpot {
    /// The app's client secret. While it is being rotated, the new and the old
    /// one; any of them will do.
    pub secrets: Vec<SecretRef>,
    /// Most events in one call. Default 100, as HubSpot documents. More are
    /// answered 413, after which HubSpot sends again.
    #[serde(default = "batch_limit")]
    pub batch_limit: usize,
    /// How fast it may call.
    #[serde(default)]
    pub rate: Rate,
}

/// A sender of Standard Webhooks.
///
/// The event is the text at `/type` of the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StandardWebhooks {
    /// The signing secret, `whsec_` and base64 of 24 to 64 bytes. While it is
    /// being rotated, the new and the old one; any of them will do.
    pub secrets: Vec<SecretRef>,
    /// Where the body says what happened, as a JSON pointer (RFC 6901). Default
    /// `/type`, where Standard Webhooks puts it.
    #[serde(default = "type_pointer")]
    pub event: String,
    /// Where the body says of which kind the object is, as a JSON pointer. When
    /// it is not set, the kind is what the event says before its last dot:
    /// `invoice` of `invoice.paid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// Where the body says the object's id, text or a whole number, as a JSON
    /// pointer. Default `/data/id`.
    #[serde(default = "id_pointer")]
    pub id: String,
    /// How fast it may call.
    #[serde(default)]
    pub rate: Rate,
}

/// An Odoo database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Odoo {
    /// The last part of the address that Odoo calls, which nobody can guess: at
    /// least 22 of `A-Z`, `a-z`, `0-9`, `-` and `_`, such as `openssl rand -hex 16`
    /// makes. Odoo signs nothing, so whoever knows it can send hints; keep it out
    /// of the access log of a proxy. While it is being rotated, the new and the
    /// old one.
    pub tokens: Vec<SecretRef>,
    /// How fast it may call.
    #[serde(default)]
    pub rate: Rate,
}

/// How fast one system may call. Beyond it the answer is 429 with `Retry-After`.
///
/// Only calls that proved their sender count, so that nobody else can use up a
/// system's rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rate {
    /// Calls per second, in the long run. Default 100.
    pub per_second: NonZeroU32,
    /// Calls that may come at once. Default 200. Odoo does not send again after a
    /// 429: a bulk edit there sends one call a record, so leave room for it.
    pub burst: NonZeroU32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            public_url: None,
            body_limit: BODY_LIMIT,
            body_time_ms: BODY_TIME_MS,
            calls_at_once: CALLS_AT_ONCE,
            systems: BTreeMap::new(),
        }
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self {
            per_second: RATE_PER_SECOND,
            burst: RATE_BURST,
        }
    }
}

impl Options {
    /// Every secret that these options refer to, with the system that needs it:
    /// what the app has to resolve before it builds the ingress.
    pub fn secret_refs(&self) -> impl Iterator<Item = (&str, &SecretRef)> {
        self.systems.iter().flat_map(|(name, sender)| {
            let refs = match sender {
                Sender::HubSpot(hubspot) => &hubspot.secrets,
                Sender::StandardWebhooks(standard) => &standard.secrets,
                Sender::Odoo(odoo) => &odoo.tokens,
            };
            refs.iter().map(move |reference| (name.as_str(), reference))
        })
    }
}

fn batch_limit() -> usize {
    BATCH_LIMIT
}

fn type_pointer() -> String {
    "/type".to_owned()
}

fn id_pointer() -> String {
    "/data/id".to_owned()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// The manual's own example, taken from the documentation above.
    fn manual() -> String {
        let source = include_str!("options.rs");
        let from = source.find("/// ```toml\n").unwrap();
        let text = source.get(from..).unwrap();
        text.lines()
            .skip(1)
            .take_while(|line| !line.starts_with("/// ```"))
            .map(|line| line.trim_start_matches("///").trim_start())
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[derive(Deserialize)]
    struct Config {
        ingress: Options,
    }

    #[test]
    fn the_example_of_the_manual_is_read() {
        let options = toml::from_str::<Config>(&manual()).unwrap().ingress;
        assert_eq!(options.systems.len(), 3);
        assert_eq!(options.body_limit, BODY_LIMIT);
        let refs: Vec<_> = options
            .secret_refs()
            .map(|(system, r)| format!("{system}: {r}"))
            .collect();
        assert_eq!(
            refs,
            [
                "hubspot-de: environment variable HUBSPOT_DE_CLIENT_SECRET",
                "odoo-de: environment variable ODOO_DE_HOOK_TOKEN",
                "psa: file /run/secrets/psa-new",
                "psa: file /run/secrets/psa-old",
            ]
        );
        let Sender::StandardWebhooks(psa) = &options.systems["psa"] else {
            unreachable!()
        };
        assert_eq!(
            (psa.event.as_str(), psa.id.as_str()),
            ("/type", "/data/project/id")
        );
        assert_eq!(psa.rate, Rate::default());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for text in [
            "body-limits = 1",
            "[systems.a]\nkind = \"hubspot\"\nsecrets = []\nportal = 1",
            "[systems.a]\nkind = \"pipedrive\"",
            "[systems.a]\nkind = \"odoo\"\ntokens = [\"in-the-clear\"]",
            "[systems.a]\nkind = \"odoo\"\ntokens = []\nrate = { per-second = 0 }",
        ] {
            assert!(toml::from_str::<Options>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_names_every_kind() {
        let schema = serde_json::to_string(&schemars::schema_for!(Options)).unwrap();
        for kind in ["hubspot", "standard-webhooks", "odoo"] {
            assert!(schema.contains(&format!("\"const\":\"{kind}\"")), "{kind}");
        }
    }
}
