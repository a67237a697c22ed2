//! `POST /api/journal/erase`: what is there about somebody goes, or is shown.
//!
//! A request is carried out some messages at a time, so that the host goes on beside it. It
//! may be made again as often as one likes: what is erased already stays so, and what was in
//! the way is tried again.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use cambist_contract::message::MessageId;
use cambist_journal::{
    Status,
    erasure::{Erased, Erasure, Extent, Ground, Subject, Unlinking},
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Admin,
    answer::{Erasing, ErasingMessage},
    api::{Body, name, reason},
    decision,
    refusal::Refusal,
};

/// Largest call, in bytes: a thousand ids with their quotes, and room for what else is said.
pub(crate) const BODY_LIMIT: usize = 64 << 10;

/// Messages that are erased in one transaction. Each is read and written whole, and others
/// wait meanwhile: some tens of milliseconds.
const AT_ONCE: usize = 20;

/// Shortest text that is looked for, in bytes: shorter ones are in everything.
const SHORTEST: usize = 4;

/// How often it is tried to get what was erased off the disk, and how long apart: ten seconds,
/// in which all but long reads, such as a backup, have ended.
const TRIES: u32 = 40;
const APART: Duration = Duration::from_millis(250);

/// What is to go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Erase {
    /// Objects of systems, each as `system:kind/id`.
    #[serde(default)]
    objects: Vec<String>,
    /// Texts that are in what is to go.
    #[serde(default)]
    texts: Vec<String>,
    /// Messages by their ids.
    #[serde(default)]
    messages: Vec<MessageId>,
    /// How much of each message; left out, all.
    extent: Option<Extent>,
    /// Whether messages that have not ended are ended.
    #[serde(default)]
    end: bool,
    /// Only shows what would go.
    #[serde(default)]
    dry: bool,
    /// Who says so.
    by: String,
    /// Why.
    reason: String,
    /// The request that it answers.
    request: Option<String>,
}

/// `POST /api/journal/erase`
pub(crate) async fn erase(
    State(admin): State<Arc<Admin>>,
    Body(erase): Body<Erase>,
) -> Result<Json<Erasing>, Refusal> {
    let ground = Ground {
        by: name("by", &erase.by)?,
        reason: reason(&erase.reason)?,
        request: erase
            .request
            .as_deref()
            .map(|text| name("request", text))
            .transpose()?,
    };
    let extent = erase.extent.unwrap_or(Extent::All);
    let subject = subject(&erase)?;
    let _turn = admin.deciding.lock().await;
    let concerned = admin.erasures.concerning(&subject).await?;
    let mut found = concerned.messages;
    for id in &erase.messages {
        let named = admin.journal.message(id).await?.ok_or(Refusal::UnknownMessage)?;
        found.push(named.status);
    }
    found.sort_by_key(|status| status.arrival);
    found.dedup_by_key(|status| status.arrival);
    // a payload may go while the record lives on, and then its links are needed
    let entities = match extent {
        Extent::All => concerned.entities,
        Extent::Payloads => Vec::new(),
    };
    if erase.dry {
        let would = found.into_iter().map(|status| {
            let became = would(&status, extent, erase.end);
            ErasingMessage { status, became }
        });
        return Ok(Json(Erasing {
            dry: true,
            messages: would.collect(),
            entities,
            forgotten: false,
        }));
    }
    let mut messages = Vec::new();
    for some in found.chunks(AT_ONCE) {
        let erasure = Erasure {
            messages: some.iter().map(|status| status.id.clone()).collect(),
            extent,
            end: erase.end,
            ground: ground.clone(),
        };
        let became = admin.erasures.erase((admin.clock)(), erasure).await?;
        for (status, became) in some.iter().zip(became) {
            let now = admin.journal.message(&status.id).await?.map(|claim| claim.status);
            let status = now.unwrap_or_else(|| status.clone());
            messages.push(ErasingMessage { status, became });
        }
    }
    let erased = messages
        .iter()
        .filter(|message| message.became == Erased::Now)
        .count();
    let told = json!({
        "by": ground.by, "reason": ground.reason, "request": ground.request, "messages": erased,
        "entities": entities.len(),
    });
    let decision = decision::message((admin.clock)(), "erase", ("journal", "erasure"), &told);
    admin
        .erasures
        .unlink(Unlinking {
            entities: entities.clone(),
            system: None,
            decision,
        })
        .await?;
    tracing::info!(messages = erased, links = entities.len(), "erased on request");
    let forgotten = forgotten(&admin).await?;
    Ok(Json(Erasing {
        dry: false,
        messages,
        entities,
        forgotten,
    }))
}

/// What would become of a message.
fn would(status: &Status, extent: Extent, end: bool) -> Erased {
    if status.erased >= Some(extent) {
        Erased::Before
    } else if status.state.is_final() || end {
        Erased::Now
    } else {
        Erased::Open
    }
}

fn subject(erase: &Erase) -> Result<Subject, Refusal> {
    let unreadable = |text: String| Refusal::Unreadable(format!("the body: {text}"));
    let objects = erase.objects.iter().map(|object| {
        let (system, object) = object
            .split_once(':')
            .filter(|(system, object)| !system.is_empty() && object.contains('/'))
            .ok_or_else(|| {
                unreadable("each of `objects` is `system:kind/id`, such as `crm:contact/7`".to_owned())
            })?;
        Ok((system.to_owned(), object.to_owned()))
    });
    let objects = objects.collect::<Result<Vec<_>, Refusal>>()?;
    if erase.texts.iter().any(|text| text.len() < SHORTEST) {
        let text = format!("each of `texts` has at least {SHORTEST} bytes");
        return Err(unreadable(text));
    }
    if objects.is_empty() && erase.texts.is_empty() && erase.messages.is_empty() {
        let text = "`objects`, `texts` or `messages` say what is to go".to_owned();
        return Err(unreadable(text));
    }
    Ok(Subject {
        objects,
        texts: erase.texts.clone(),
    })
}

/// Waits until what was erased is off the disk, for a while.
async fn forgotten(admin: &Admin) -> Result<bool, Refusal> {
    for _ in 0..TRIES {
        if admin.erasures.forget().await? {
            return Ok(true);
        }
        tokio::time::sleep(APART).await;
    }
    Ok(false)
}
