//! `cambist replay`: sends messages their way again, or computes them again and tells what would
//! come out otherwise; at the running host.

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result, bail};
use cambist_admin::answer::ReplayReport;
use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    message::MessageId,
    stage::Stage,
};
use cambist_journal::replay::{Replay, Revisions, Wanted};
use clap::{Args, builder::PossibleValuesParser};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use reqwest::Method;
use serde_json::json;

use super::operator;
use crate::{cli, config::Reach};

pub(super) mod report;

/// How often the host is asked how far it has come.
const ASK: Duration = Duration::from_millis(250);

/// How often that is said.
const SAY: u32 = 20;

/// Which messages, on which revisions, and whether anything is sent.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:\n  \
    cambist replay 3f9c… --begin judge                             one message, at once, on its own revisions\n  \
    cambist replay --from 2026-11-01 --until 2026-12-01 --dry --revisions live\n  \
    \u{20}                                                              what today's plugins would have made of November\n  \
    cambist replay --cause refused --region de --why 'VAT ids are in'   for real, all that rest for one cause\n  \
    cambist replays                                                what was ordered, and what came of it")]
pub struct Options {
    #[command(flatten)]
    common: cli::Printed,
    /// Messages, by their ids or beginnings of them.
    ids: Vec<String>,
    /// Received then or later: a time such as `2026-11-01T08:00:00Z`, or a day, in UTC.
    #[arg(long, value_parser = moment)]
    from: Option<Timestamp>,
    /// Received before.
    #[arg(long, value_parser = moment)]
    until: Option<Timestamp>,
    /// Of this flow.
    #[arg(long)]
    flow: Option<String>,
    /// Of this region.
    #[arg(long)]
    region: Option<String>,
    /// From this system.
    #[arg(long)]
    system: Option<String>,
    /// About this object, in its source's words: `deal/7`.
    #[arg(long)]
    object: Option<String>,
    /// That have brought this entity, as `SYSTEM:KIND/ID`: `hubspot:account/7`.
    #[arg(long, value_parser = entity)]
    entity: Option<EntityRef>,
    /// In this state.
    #[arg(long, value_parser = PossibleValuesParser::new(cambist_admin::STATES))]
    state: Option<String>,
    /// That have passed this stage last.
    #[arg(long, value_parser = stages())]
    passed: Option<String>,
    /// That rest for this cause: a code of `cambist parked`, `held` or `waiting`.
    #[arg(long)]
    cause: Option<String>,
    /// The revisions of the plugins: `pinned`, `live`, or the id of one, which stands in for every
    /// other of its plugin.
    #[arg(long, default_value = "pinned", conflicts_with = "live")]
    revisions: Revisions,
    /// The same as `--revisions live`.
    #[arg(long)]
    live: bool,
    /// Sends nothing: computes each message again from what was fetched then, and tells what would
    /// be written otherwise.
    #[arg(long, conflicts_with = "begin")]
    dry: bool,
    /// The stage it begins at; `fetch` if left out, which reads the object again.
    #[arg(long, value_parser = stages())]
    begin: Option<String>,
    /// Why, for the evidence. Wanted for all but a dry run and a message named alone.
    #[arg(long)]
    why: Option<String>,
    /// Who asks, for the evidence; left out, the user.
    #[arg(long)]
    by: Option<String>,
    /// Says the order's number and goes, while the host carries it out.
    #[arg(long)]
    detach: bool,
    /// How many of the messages that differ are told of, those first that differ by the most money.
    #[arg(long, default_value_t = 7)]
    open: usize,
}

fn stages() -> PossibleValuesParser {
    PossibleValuesParser::new(Stage::ALL.map(Stage::name))
}

/// A time, or a day's beginning in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let time = text.parse().ok().or_else(|| Some(day()?.timestamp()));
    time.ok_or_else(|| {
        "a time such as 2026-11-01T08:00:00Z, or a day such as 2026-11-01; the stage to begin at is --begin"
            .to_owned()
    })
}

/// An entity as it is written everywhere: `hubspot:account/7`.
fn entity(text: &str) -> Result<EntityRef, String> {
    let parts = || {
        let (system, rest) = text.split_once(':')?;
        let (kind, id) = rest.split_once('/')?;
        let kind = EntityKind::ALL.into_iter().find(|it| it.name() == kind)?;
        Some(EntityRef {
            kind,
            system: system.to_owned(),
            id: id.to_owned(),
        })
    };
    parts().ok_or_else(|| "an entity is named as SYSTEM:KIND/ID, such as hubspot:account/7".to_owned())
}

impl Options {
    fn revisions(&self) -> Revisions {
        match self.live {
            true => Revisions::Live,
            false => self.revisions,
        }
    }

    fn wanted(&self, ids: Vec<MessageId>) -> Result<Wanted> {
        Ok(Wanted {
            ids,
            from: self.from,
            until: self.until,
            flow: self.flow.clone(),
            region: self.region.clone(),
            system: self.system.clone(),
            object: self.object.clone(),
            entity: self.entity.clone(),
            state: self.state.clone(),
            passed: self.passed.as_deref().and_then(|stage| stage.parse().ok()),
            cause: self.cause.clone(),
        })
    }
}

/// Asks the host, and waits until it is through.
///
/// # Errors
///
/// No host is running, or it refuses.
pub async fn run(options: &Options) -> Result<ExitCode> {
    let reach = options.common.reach();
    let by = operator::who(options.by.as_ref());
    let ids = match options.ids.is_empty() {
        true => Vec::new(),
        false => {
            let journal = operator::journal(&reach)?;
            let mut ids = Vec::new();
            for id in &options.ids {
                ids.push(operator::message(&journal, id).await?.message.id);
            }
            ids
        }
    };
    let wanted = options.wanted(ids)?;
    let is_named = |id: &MessageId| {
        let alone = Wanted {
            ids: vec![id.clone()],
            ..Wanted::default()
        };
        wanted == alone && !matches!(options.revisions(), Revisions::Named(_))
    };
    if let [id] = wanted.ids.as_slice()
        && is_named(id)
        && !options.dry
    {
        let begin = options.begin.as_deref().unwrap_or(Stage::Fetch.name());
        let live = options.revisions() == Revisions::Live;
        let body = json!({"from": begin, "live": live, "by": by, "reason": options.why});
        let done = |id: &MessageId| format!("{id} goes again from {begin}");
        operator::ask(&options.common, id.as_str(), "resume", body, done).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let why = match (&options.why, options.dry) {
        (Some(why), _) => why.clone(),
        (None, true) => "to see what differs".to_owned(),
        (None, false) => bail!("say why, for the evidence: --why '…'; --dry shows first what would differ"),
    };
    let mut body = json!({
        "wanted": wanted, "revisions": options.revisions(), "dry": options.dry, "by": by, "reason": why,
    });
    if let (Some(begin), Some(body)) = (&options.begin, body.as_object_mut()) {
        body.insert("begin".to_owned(), json!(begin));
    }
    let ordered = operator::call(&reach, Method::POST, "replays", Some(operator::Body::Json(body))).await?;
    if options.detach && options.common.json {
        say!("{}", serde_json::to_string_pretty(&ordered)?);
        return Ok(ExitCode::SUCCESS);
    }
    let replay: Replay = serde_json::from_value(ordered).context("the host is of another version")?;
    if options.detach {
        say!(
            "replay {} is ordered; `cambist replays {0}` tells what comes of it",
            replay.number
        );
        return Ok(ExitCode::SUCCESS);
    }
    let told = wait(&reach, &replay, options).await?;
    match options.common.json {
        true => say!("{}", serde_json::to_string_pretty(&told)?),
        false => report::tell(&told),
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the host until the order is over, and says now and then how far it has come.
async fn wait(reach: &Reach, replay: &Replay, options: &Options) -> Result<ReplayReport> {
    let mut asked = 0_u32;
    loop {
        tokio::time::sleep(ASK).await;
        let told = report::ask(reach, replay.number, options.open).await?;
        if told.replay.is_over() {
            return Ok(told);
        }
        asked = asked.wrapping_add(1);
        if !options.common.json && asked.is_multiple_of(SAY) {
            say!("{}", report::progress(&told.replay));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_given_by_times_or_days() {
        let told = |text: &str| moment(text).unwrap().to_string();
        assert_eq!(told("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(told("2026-11-01T08:00:00+01:00"), "2026-11-01T07:00:00Z");
        // what was a stage before there were spans is told where that went
        assert!(moment("judge").unwrap_err().contains("--begin"));
    }

    #[test]
    fn an_entity_is_named_as_it_is_shown() {
        let named = entity("hubspot:account/a/7").unwrap();
        assert_eq!(
            (named.to_string(), named.id.as_str()),
            ("hubspot:account/a/7".into(), "a/7")
        );
        for wrong in ["", "account/7", "hubspot:account", "hubspot:deal/7"] {
            assert!(entity(wrong).unwrap_err().contains("SYSTEM:KIND/ID"), "{wrong}");
        }
    }
}
