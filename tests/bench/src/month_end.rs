//! A month's end: a backlog of many messages of twenty regions, half of it one region's, before one Odoo.
//!
//! The backlog is real: signed webhooks that a host has accepted while Odoo was not there. Then Odoo is there, and the host works it
//! off as a process of its own, while webhooks go on coming and a person's change now and then goes before all others. What the
//! target took is put next to a loop of `load` alone, of as many rows a call, at the same target.
//!
//! The Odoo is the double at the pace of [`PACE`], or the real one of `CAMBIST_ODOO_ENV`. HubSpot is a double that answers at once: a
//! real one lets read 19 objects in a second, and would be what is waited for.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use cambist_doubles::{OdooDouble, odoo::Pace};
use cambist_e2e::{
    Setup, World,
    month_end::{MonthEnd, changed, company, contact},
    odoo::Odoo,
    sender,
};
use reqwest::Client;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet};

use crate::clock::{quantile, us};

mod told;

/// What the double's calls take: a single partner took 50 ms of a real Odoo 19 on a machine as this one, a hundred 0.4 s.
const PACE: Pace = Pace {
    call: Duration::from_millis(50),
    row: Duration::from_millis(4),
};

/// Regions, of which the first has half of the messages.
const REGIONS: u64 = 20;

/// Of so many companies one changes twice.
const TWICE: u64 = 50;

/// Senders at once while the backlog comes in, with batches as HubSpot sends them.
const SENDERS: u64 = 4;

/// Ids of companies that change while the backlog is worked off, and of people.
const LATER: u64 = 5_000_000;
const PEOPLE: u64 = 7_000_000;

/// The pause between two of the webhooks that go on coming; each tenth is an urgent one.
const PAUSE: Duration = Duration::from_millis(200);

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// The backlog.
    pub(crate) messages: u64,
    /// Webhooks a second while it came in, in batches of 100, and their 99th percentile until the answer.
    pub(crate) accepted_per_second: f64,
    pub(crate) accepted_p99_us: f64,
    /// Until an answer while the backlog was worked off, of single webhooks.
    pub(crate) ingress_median_us: f64,
    pub(crate) ingress_p99_us: f64,
    /// From the receipt of an urgent change to its end, meanwhile.
    pub(crate) urgent_median_us: f64,
    pub(crate) urgent_p99_us: f64,
    /// Memory of the host when it began, its most, and when all was done, in MiB.
    pub(crate) memory_mib: [u64; 3],
    /// Seconds that it took.
    pub(crate) seconds: f64,
    /// Messages that the target took in a second, from the first to the last.
    pub(crate) rows_per_second: f64,
    /// Rows of one call, on average; none where a real Odoo does not tell.
    pub(crate) rows_per_call: Option<f64>,
    /// Rows a second of `load` alone, so many a call.
    pub(crate) alone_rows_per_second: f64,
    /// The share of that.
    pub(crate) share: f64,
    /// When the last message of the other regions ended, as a share of the whole time: the first and the last region.
    pub(crate) others_done: [f64; 2],
    /// When the first message of each region had ended, as a share of the whole time: of the last region.
    pub(crate) first_done: f64,
    /// Keys with several messages, all of which were in order.
    pub(crate) keys_in_order: usize,
    /// How far the estimate was off when half of it was done: its value by the time that it took.
    pub(crate) estimate: f64,
}

/// Where the messages go.
enum Target {
    Double(OdooDouble),
    Real(Odoo),
}

/// Measures it on the disk of `folder`.
pub(crate) async fn measure(folder: &Path, messages: u64) -> Result<Measured> {
    let target = match std::env::var_os("CAMBIST_ODOO_ENV") {
        None => Target::Double(OdooDouble::start(PACE).await?),
        Some(_) => Target::Real(Odoo::fresh("month_end")?.context("there is no Odoo")?),
    };
    // its folder must be on the disk that is measured
    let mut world = World::quiet_in(folder, target.setup("http://127.0.0.1:9")).await?;
    world.restart(None).await?;
    let (accepted, latencies) = fill(&world, messages).await?;

    world.stop().await?;
    world.setup = target.setup(&target.address());
    world.restart(None).await?;
    let world = Arc::new(world);
    let (stop, stopped) = watch::channel(false);
    let coming = tokio::spawn(come(Arc::clone(&world), stopped));
    let worked = work_off(&world, messages).await;
    stop.send_replace(true);
    let ingress = coming.await??;
    let worked = worked?;
    world.until_idle().await?;
    let told = told::read(&world, worked.began).await?;
    ensure!(told.ended >= messages, "{} of {messages} ended", told.ended);

    let rows_per_call = target.rows_per_call();
    let rows = rows_per_call.map_or(100, |rows| rows.round() as usize);
    let alone = target.alone(rows, messages.min(5_000)).await?;
    let rows_per_second = told.ended as f64 / told.busy.as_secs_f64();
    let urgent = |percent| us(quantile(told.urgent.clone(), percent));
    Ok(Measured {
        messages,
        accepted_per_second: accepted,
        accepted_p99_us: us(quantile(latencies, 99)),
        ingress_median_us: us(quantile(ingress.clone(), 50)),
        ingress_p99_us: us(quantile(ingress, 99)),
        urgent_median_us: urgent(50),
        urgent_p99_us: urgent(99),
        memory_mib: worked.memory,
        seconds: told.busy.as_secs_f64(),
        rows_per_second,
        rows_per_call,
        alone_rows_per_second: alone,
        share: rows_per_second / alone,
        others_done: told.others_done,
        first_done: told.first_done,
        keys_in_order: told.keys_in_order,
        estimate: worked.estimate,
    })
}

impl Target {
    fn address(&self) -> String {
        match self {
            Self::Double(odoo) => odoo.url(),
            Self::Real(odoo) => odoo.fact("URL").to_owned(),
        }
    }

    /// A host whose Odoo is at this address.
    fn setup(&self, address: &str) -> Setup {
        let (database, key, company, odoo) = match self {
            Self::Double(_) => ("d".to_owned(), "E2E_HUBSPOT_TOKEN", None, None),
            Self::Real(odoo) => (
                odoo.fact("DB").to_owned(),
                "E2E_ODOO_KEY",
                Some(odoo.fact("COMPANY_DE").to_owned()),
                Some(odoo.clone()),
            ),
        };
        let month_end = MonthEnd {
            odoo: address.to_owned(),
            database,
            key,
            company,
            regions: (0..REGIONS).map(region).collect(),
        };
        Setup {
            whole: Some(month_end.config()),
            odoo,
            log: "warn,cambist_app=info,cambist=info",
            ..Setup::default()
        }
    }

    fn rows_per_call(&self) -> Option<f64> {
        match self {
            Self::Double(odoo) => Some(odoo.rows() as f64 / odoo.loads().max(1) as f64),
            Self::Real(_) => None,
        }
    }

    /// Rows a second that the target takes of `load` and nothing else.
    async fn alone(&self, rows: usize, messages: u64) -> Result<f64> {
        let (client, mut done, started) = (sender::client()?, 0, Instant::now());
        let fields = [
            "id",
            "name",
            "is_company",
            "phone",
            "street",
            "street2",
            "city",
            "zip",
            "state_id/id",
            "country_id/id",
        ];
        while done < messages {
            let ids = done..done + rows as u64;
            let data: Vec<Value> = ids
                .map(|id| {
                    let (name, phone) = (format!("Kunde {id} GmbH"), format!("+49 30 {id}"));
                    json!([
                        format!("alone.a_{id}"),
                        name,
                        "1",
                        phone,
                        "Kundenweg 5",
                        "",
                        "Berlin",
                        "10115",
                        "",
                        "base.de"
                    ])
                })
                .collect();
            let body = json!({"fields": fields, "data": data});
            let answer: Value = match self {
                Self::Real(odoo) => odoo.call("res.partner", "load", body).await?,
                Self::Double(odoo) => {
                    let address = format!("{}/json/2/res.partner/load", odoo.url());
                    let text = client
                        .post(address)
                        .body(body.to_string())
                        .send()
                        .await?
                        .text()
                        .await?;
                    serde_json::from_str(&text)?
                }
            };
            ensure!(answer.get("ids").is_some_and(Value::is_array), "{answer}");
            done += rows as u64;
        }
        Ok(done as f64 / started.elapsed().as_secs_f64())
    }
}

fn region(at: u64) -> String {
    format!("r{at:02}")
}

/// The region of a company of the backlog: of each forty 20 are the first one's, and the rest one or two each of the others'.
fn region_of(id: u64) -> String {
    match id % 2 {
        0 => region(0),
        _ => region(1 + id / 2 % (REGIONS - 1)),
    }
}

/// Sends the backlog, and tells how many a second were accepted, and how long each batch took.
async fn fill(world: &World, messages: u64) -> Result<(f64, Vec<Duration>)> {
    let twice = messages / (TWICE + 1);
    let once = messages - twice;
    for id in 1..=once {
        world
            .hubspot
            .put("companies", &id.to_string(), company(id, &region_of(id)));
    }
    // those of the large region first: the others are to come behind all of it
    let ids = (1..=once)
        .filter(|id| id % 2 == 0)
        .chain((1..=once).filter(|id| id % 2 == 1));
    let mut events: Vec<Value> = ids.map(|id| changed("company", id, 1)).collect();
    events.extend((1..=twice).map(|at| changed("company", at * TWICE, 2)));
    let batches: Arc<Vec<Vec<Value>>> = Arc::new(events.chunks(100).map(<[Value]>::to_vec).collect());
    let (client, ingress, started) = (world.client.clone(), world.host()?.ingress, Instant::now());
    let mut senders = JoinSet::new();
    for first in 0..SENDERS {
        let (client, batches) = (client.clone(), Arc::clone(&batches));
        senders.spawn(async move {
            let mut took = Vec::new();
            for batch in batches.iter().skip(first as usize).step_by(SENDERS as usize) {
                took.push(post(&client, ingress, batch).await?);
            }
            anyhow::Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(took) = senders.join_next().await {
        all.extend(took??);
    }
    Ok((messages as f64 / started.elapsed().as_secs_f64(), all))
}

async fn post(client: &Client, ingress: std::net::SocketAddr, events: &[Value]) -> Result<Duration> {
    let webhook = sender::signed(events);
    let started = Instant::now();
    let status = sender::post(client, ingress, &webhook).await?;
    ensure!(status == 202, "the host answered {status}");
    Ok(started.elapsed())
}

/// Goes on sending single changes, each tenth an urgent one, and tells how long each answer took.
async fn come(world: Arc<World>, stop: watch::Receiver<bool>) -> Result<Vec<Duration>> {
    let (hubspot, ingress) = (&world.hubspot, world.host()?.ingress);
    let mut took = Vec::new();
    for at in 0.. {
        if *stop.borrow() {
            break;
        }
        let id = LATER + at;
        hubspot.put(
            "companies",
            &id.to_string(),
            company(id, &region(1 + at % (REGIONS - 1))),
        );
        let event = match at % 10 {
            9 => {
                let person = PEOPLE + at;
                hubspot.put("contacts", &person.to_string(), contact(person, id));
                changed("contact", person, 1)
            }
            _ => changed("company", id, 1),
        };
        took.push(post(&world.client, ingress, &[event]).await?);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(took)
}

/// How the backlog was worked off, from outside.
struct Worked {
    began: jiff::Timestamp,
    memory: [u64; 3],
    estimate: f64,
}

/// Looks on until the backlog is gone.
#[expect(clippy::disallowed_methods, reason = "the journal's times are the clock's")]
async fn work_off(world: &World, messages: u64) -> Result<Worked> {
    let (began, started) = (jiff::Timestamp::now(), Instant::now());
    let first = world.host()?.memory()? >> 20;
    let (mut memory, mut half) = ([first; 3], None);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = world.host()?.memory()? >> 20;
        memory = [first, memory[1].max(now), now];
        let (_, page) = world.page("/api/status").await?;
        let told: Value = serde_json::from_str(&page)?;
        let number = |name: &str| told.get(name).and_then(Value::as_u64);
        let ended = number("ended").unwrap_or_default();
        if ended * 2 >= messages && half.is_none() {
            half = number("seconds-left").map(|left| (started.elapsed(), left));
        }
        // those that go on coming are always some
        if ended >= messages && number("due").is_some_and(|due| due < 50) {
            break;
        }
    }
    let estimate = half.map_or(0.0, |(at, left)| {
        left as f64 / (started.elapsed() - at).as_secs_f64()
    });
    Ok(Worked {
        began,
        memory,
        estimate,
    })
}
