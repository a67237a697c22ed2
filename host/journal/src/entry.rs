//! What is written: one durable fact about one message.

use std::{borrow::Cow, collections::BTreeMap};

use cambist_contract::{
    Json,
    canonical::EntityRef,
    delivery::Receipt,
    digest::Digest,
    fault::Reason,
    message::MessageId,
    plugin::{Link, LogLine},
    stage::Stage,
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::erasure::{Extent, Ground};

/// Levels that what a stage made may be nested. `serde_json` reads 128 and no more; the
/// entry takes one, and the rest is for a reader that puts something around it.
pub const DEEPEST: usize = 120;

/// One durable fact, in its place in the chain.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    /// Its place: 1 for the first entry of the journal, then without gaps.
    pub place: u64,
    /// The message it is about.
    pub message: MessageId,
    /// When it was written, by the host's clock.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// The digest of the event's JSON text as it was written, and of the message's salt if
    /// it has one; the store's format says how.
    pub event_digest: Digest,
    /// The digest of this entry: of the one before it, the place, the message,
    /// the time and `event_digest`.
    pub digest: Digest,
}

/// What happened to a message.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Event {
    /// It was received, checked and accepted. The message itself is kept beside
    /// the entry; here is the digest of its JSON text.
    Received {
        /// Digest of the message.
        message: Digest,
    },
    /// Its way was decided: it finishes on these revisions.
    Routed {
        /// The flow.
        flow: String,
        /// The region.
        region: String,
        /// The business unit; empty when there is none.
        unit: String,
        /// The target system.
        target: String,
        /// The revision that serves each plugin stage of the flow.
        pins: BTreeMap<Stage, Digest>,
        /// The place of the last step of a plugin's life that was in effect when it was
        /// pinned; 0 where none was. The pins are revisions that served by the steps up
        /// to it. It is before this entry, and a step between the two was being written
        /// while the message was routed. None in entries of
        /// older hosts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<u64>,
    },
    /// A stage is done, with what it made. What follows needs nothing else.
    Passed {
        /// The stage.
        stage: Stage,
        /// What it made: JSON, of the shape the stage documents.
        #[serde(deserialize_with = "by_way_of_a_tree")]
        output: Json,
        /// How long it took, in microseconds.
        took_us: u64,
        /// Instructions of the plugin, in fuel; none for the host's own stages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fuel: Option<u64>,
        /// What the plugin wrote for its owner.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<LogLine>,
        /// What the plugin asked of the links, and was answered: a replay gets the
        /// same answers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<LinkAnswer>,
    },
    /// A plugin was called and its stage did not pass: it failed, or policy stopped
    /// the message. How that ended stands in the entry behind this one.
    Called {
        /// The stage.
        stage: Stage,
        /// How long the call took, in microseconds.
        took_us: u64,
        /// Instructions of the plugin, in fuel.
        fuel: u64,
        /// What the plugin wrote for its owner.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        log: Vec<LogLine>,
        /// What the plugin asked of the links, and was answered. The next call of the
        /// stage asks anew.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        links: Vec<LinkAnswer>,
    },
    /// A part of the plan was carried out at the target.
    Delivered {
        /// The target system.
        target: String,
        /// One receipt for each command.
        receipts: Vec<Receipt>,
    },
    /// The target has it that one entity is another since: links of the one are the
    /// other's.
    Merged {
        /// The one that is no more.
        entity: EntityRef,
        /// The one that it is since.
        into: EntityRef,
    },
    /// An attempt failed, and there will be another one by itself.
    Failed {
        /// The stage.
        stage: Stage,
        /// Which attempt at this stage it was: 1 for the first.
        attempt: u32,
        /// Why, as a person reads it.
        error: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// It waits for a person.
    Parked {
        /// The stage it stands before.
        stage: Stage,
        /// Why, as a report groups it, such as `refused` or `plugin-trapped`.
        code: String,
        /// Why, as a person reads it, with the way out.
        reason: String,
    },
    /// Policy holds it for a role.
    Held {
        /// The role that can release it.
        role: String,
        /// Why.
        reasons: Vec<Reason>,
    },
    /// It waits for an entity to arrive.
    Waiting {
        /// The stage it stands before.
        stage: Stage,
        /// What it waits for.
        entity: EntityRef,
    },
    /// It ends: nothing was to be done.
    Ignored {
        /// Why.
        reason: String,
    },
    /// It ends: policy does not let it pass.
    Denied {
        /// Why.
        reasons: Vec<Reason>,
    },
    /// It ends: the target has what it says.
    Done,
    /// A role has released it; it goes on from `judge`.
    Released {
        /// The role.
        role: String,
        /// Who it was.
        by: String,
    },
    /// It begins again: a person asked for it, or what it waited for has come.
    Resumed {
        /// Who or what asked.
        by: String,
        /// Where it begins again; the outputs of this stage and all later ones
        /// no longer count.
        from: Stage,
        /// True when it takes the live revisions, false when it stays on the
        /// pinned ones.
        live: bool,
        /// Why, as who asked said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// The [number](crate::replay::Replay::number) of the order that it is of; none where
        /// this message alone was meant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<u64>,
    },
    /// Of it was taken out what the extent says, from its text and from the events before
    /// this one. What they were digested as, each entry still tells.
    Erased {
        /// How much of it.
        extent: Extent,
        /// Who had it done, and why.
        #[serde(flatten)]
        ground: Ground,
        /// The digest of the texts that are left: of the message's and of the events' before
        /// this one, each preceded by its length as eight bytes, big-endian.
        left: Digest,
    },
}

/// What a plugin asked of the links, and was answered.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinkAnswer {
    /// The entity.
    pub entity: EntityRef,
    /// The system whose record was asked for.
    pub system: String,
    /// The record, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// In its place an id alone, in entries of before the release. It does not tell
    /// what a plugin asks for today, so such a link is looked up anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl Event {
    /// The event's name in the API, the journal and the metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "received",
            Self::Routed { .. } => "routed",
            Self::Passed { .. } => "passed",
            Self::Called { .. } => "called",
            Self::Delivered { .. } => "delivered",
            Self::Merged { .. } => "merged",
            Self::Failed { .. } => "failed",
            Self::Parked { .. } => "parked",
            Self::Held { .. } => "held",
            Self::Waiting { .. } => "waiting",
            Self::Ignored { .. } => "ignored",
            Self::Denied { .. } => "denied",
            Self::Done => "done",
            Self::Released { .. } => "released",
            Self::Resumed { .. } => "resumed",
            Self::Erased { .. } => "erased",
        }
    }
}

/// An event that is read by its `what` is put down as a tree first, in which a number
/// of many digits is a float; see [`Event::from_text`].
fn by_way_of_a_tree<'de, D: Deserializer<'de>>(from: D) -> Result<Json, D::Error> {
    Value::deserialize(from).map(Json::from)
}

/// Which event a text is.
#[derive(Deserialize)]
struct Which<'a> {
    what: Cow<'a, str>,
}

/// [`Event::Passed`], read from its text alone.
#[derive(Deserialize)]
struct PassedText {
    stage: Stage,
    output: Json,
    took_us: u64,
    #[serde(default)]
    fuel: Option<u64>,
    #[serde(default)]
    log: Vec<LogLine>,
    #[serde(default)]
    links: Vec<LinkAnswer>,
}

impl Event {
    /// Reads an event from its JSON text, as it was written: what a stage made stays
    /// text, so that numbers keep all their digits and nobody parses it in vain.
    ///
    /// # Errors
    ///
    /// The text is no event.
    pub fn from_text(text: &str) -> Result<Self, serde_json::Error> {
        let Which { what } = serde_json::from_str(text)?;
        if what != "passed" {
            return serde_json::from_str(text);
        }
        let passed: PassedText = serde_json::from_str(text)?;
        Ok(Self::Passed {
            stage: passed.stage,
            output: passed.output,
            took_us: passed.took_us,
            fuel: passed.fuel,
            log: passed.log,
            links: passed.links,
        })
    }
}

impl Entry {
    /// The digest that chains an entry to the one before it.
    ///
    /// SHA-256 over the previous digest, the place as eight bytes, the message's
    /// id, the time as RFC 3339 text and the event's digest, each preceded by its
    /// length as eight bytes, all big-endian. The first entry's previous digest
    /// is 32 zero bytes. It covers the event by its digest alone, so that the
    /// chain can be worked out without the events' texts, those that were erased
    /// among them.
    pub fn chain(
        previous: &Digest,
        place: u64,
        message: &MessageId,
        at: &Timestamp,
        event_digest: &Digest,
    ) -> Digest {
        Digest::of_parts(&[
            previous.as_bytes(),
            &place.to_be_bytes(),
            message.as_str().as_bytes(),
            at.to_string().as_bytes(),
            event_digest.as_bytes(),
        ])
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_a_stage_made_keeps_its_text_to_the_last_digit() {
        let made = r#"{"total": 9007199254740993.10000000000000000001, "list": [1.50]}"#;
        let text = format!(r#"{{"what":"passed","stage":"read","output":{made},"took_us":7,"fuel":12}}"#);
        let event = Event::from_text(&text).unwrap();
        let Event::Passed {
            output,
            took_us,
            fuel,
            ..
        } = &event
        else {
            panic!("{event:?}");
        };
        assert_eq!((output.as_str(), *took_us, *fuel), (made, 7, Some(12)));
        assert!(serde_json::to_string(&event).unwrap().contains(made));
    }

    #[test]
    fn an_event_is_read_from_its_text_as_serde_writes_it() {
        let passed = |links| Event::Passed {
            stage: Stage::Read,
            output: serde_json::json!({"a": [1, "b", null]}).into(),
            took_us: 1,
            fuel: None,
            log: vec![],
            links,
        };
        let link = LinkAnswer {
            entity: EntityRef {
                kind: cambist_contract::canonical::EntityKind::Account,
                system: "crm".into(),
                id: "7".into(),
            },
            system: "odoo".into(),
            link: Some(Link {
                model: "res.partner".into(),
                external_id: Some("x.7".into()),
                id: Some("42".into()),
            }),
            id: None,
        };
        for event in [Event::Done, passed(vec![]), passed(vec![link])] {
            let text = serde_json::to_string(&event).unwrap();
            assert_eq!(Event::from_text(&text).unwrap(), event, "{text}");
            assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        }
        assert!(Event::from_text("{}").is_err());
    }
}
