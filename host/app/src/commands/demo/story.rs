//! What happens in the demo: what is sent, what was answered, how it ended.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use cambist_contract::message::MessageId;
use cambist_doubles::hubspot::webhook;
use cambist_journal::{
    Status,
    journal::{Claim, Filter},
};
use serde::Deserialize;

use super::{
    narrate,
    stage_set::{CLIENT_SECRET, CRM, StageSet},
};
use crate::{config::Config, host::Host};

/// How long the messages may take: Odoo needs a second or two for each.
const PATIENCE: Duration = Duration::from_secs(180);

/// One step of the story.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Step {
    /// What it shows.
    pub(super) title: String,
    /// The deal it is about.
    pub(super) deal: String,
    /// How the webhook is sent.
    #[serde(default)]
    pub(super) send: Send,
    /// How it ends: a message's state, `duplicate` or `refused`.
    pub(super) expect: String,
    /// How it was answered.
    #[serde(skip)]
    pub(super) answer: String,
}

/// How a webhook is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Send {
    /// For the first time.
    #[default]
    Once,
    /// The same event as before.
    Again,
    /// With a signature that somebody made up.
    Forged,
}

/// Sends the story's webhooks, one after another, over real HTTP.
pub(super) async fn tell(set: &StageSet, config: &Config, host: &Host) -> Result<Vec<Step>> {
    let mut steps: Vec<Step> = set.json("story.json")?;
    let public = config
        .ingress
        .public_url
        .as_ref()
        .context("the config has no public-url")?;
    let address = public.join(&format!("in/{CRM}"))?.to_string();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let now = crate::host::now().as_millisecond();
    for step in &mut steps {
        let deal: u64 = step.deal.parse().context("a deal of the story has no number")?;
        let event = webhook::property_change("deal", deal, "dealstage", "closedwon", deal * 10, now);
        let secret = if step.send == Send::Forged {
            "a secret of somebody else"
        } else {
            CLIENT_SECRET
        };
        let signed = webhook::webhook(secret, &address, &[event], now);
        let mut request = client
            .post(format!("http://{}/in/{CRM}", host.ingress))
            .body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.context("the host does not answer")?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        step.answer = match status.as_u16() {
            202 if text.contains("\"duplicates\":1") => "duplicate".to_owned(),
            202 => "accepted".to_owned(),
            _ => "refused".to_owned(),
        };
        narrate::sent(step, status.as_u16());
    }
    Ok(steps)
}

/// Follows the messages until each has ended or waits, and shows each as it does.
pub(super) async fn follow(host: &Host, steps: &[Step]) -> Result<Vec<(Step, Claim)>> {
    let mut shown: BTreeMap<MessageId, Claim> = BTreeMap::new();
    let steps: BTreeMap<String, &Step> = steps
        .iter()
        .filter(|step| step.send == Send::Once)
        .map(|step| (format!("deal/{}", step.deal), step))
        .collect();
    let mut changed = host.journal.changed();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let listed = host
            .journal
            .list(Filter {
                limit: 100,
                ..Filter::default()
            })
            .await?;
        for status in listed.into_iter().rev().filter(settled) {
            if shown.contains_key(&status.id) {
                continue;
            }
            let claim = host
                .journal
                .message(&status.id)
                .await?
                .context("a message is gone")?;
            if let Some(step) = steps.get(&status.object) {
                narrate::ended(step, &claim);
            }
            shown.insert(status.id, claim);
        }
        if shown.len() >= steps.len() || tokio::time::Instant::now() > deadline {
            break;
        }
        let _ = tokio::time::timeout(Duration::from_millis(250), changed.changed()).await;
    }
    let mut outcomes: Vec<(Step, Claim)> = shown
        .into_values()
        .filter_map(|claim| Some(((*steps.get(&claim.status.object)?).clone(), claim)))
        .collect();
    outcomes.sort_by_key(|(_, claim)| claim.status.arrival);
    Ok(outcomes)
}

/// Whether a message goes no further by itself, at least not soon.
fn settled(status: &Status) -> bool {
    status.state.name() != "due" || status.attempts > 0
}

/// Whether everything ended as the story says.
pub(super) fn as_told(steps: &[Step], outcomes: &[(Step, Claim)]) -> bool {
    steps.iter().all(|step| match step.send {
        Send::Once => outcomes
            .iter()
            .any(|(other, claim)| other.deal == step.deal && claim.status.state.name() == step.expect),
        Send::Again | Send::Forged => step.answer == step.expect,
    })
}
