//! The HubSpot-to-Odoo mapping natively, and in fresh instances with all limits on.
//!
//! All sides run the same Rust functions, `read` of `map-hubspot` and `write` of
//! `map-odoo`, on the same message, on one thread, in turns. The sandboxed and the
//! native side are the same call of the plugin port: the host's records go in, are
//! handed over, and what the plugin answers is checked and comes back as the host's
//! records. What differs is the sandbox: making the instance, copying in and out,
//! counting fuel, and code that came by way of WebAssembly. The kept side is the sandboxed
//! one in an instance that serves up to 100 calls. The bare side is the
//! plugin's function alone, with its input ready-made in its own types and its
//! answer looked at by nobody.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{
    digest::Digest,
    isolation::{Calls, Kept},
    limits::Limits,
    mapping::Outbound,
    plugin::{Called, Loader as _, NoLinks, Plugin},
    revision::{Grant, Revision, Tables},
};
use cambist_sandbox::Sandbox;
use cambist_sdk::prelude::Mapping as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    clock::{each, median, turns, us},
    native,
};

/// Turns of measuring, and calls of each side in one turn: some fifty milliseconds, in
/// which the machine's clock changes little. A ratio is that of a turn, and of these the
/// one in the middle.
const TURNS: usize = 41;
const CALLS: usize = 100;

/// The bound of the instances that are kept: they serve half of it on average.
pub(crate) const KEPT: u32 = 100;

/// One message: microseconds of processor time for each call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    /// The message's name, which is its file's in `data/`.
    pub(crate) message: String,
    /// Bytes of the source's object.
    pub(crate) bytes: usize,
    /// What HubSpot sent, as changes.
    pub(crate) read: Side,
    /// The changes, as commands for Odoo.
    pub(crate) write: Side,
    /// Both: HubSpot to Odoo.
    pub(crate) mapping: Side,
}

/// One function, on both sides.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Side {
    /// The function alone.
    pub(crate) bare_us: f64,
    /// The plugin linked natively.
    pub(crate) native_us: f64,
    /// In a fresh instance, limits on.
    pub(crate) sandboxed_us: f64,
    /// In an instance that is kept for up to [`KEPT`] calls.
    pub(crate) kept_us: f64,
    /// How many times the native cost that is.
    pub(crate) ratio: f64,
    /// How many times the native cost the call in a kept instance is.
    pub(crate) kept_ratio: f64,
    /// How many times the bare cost that is.
    pub(crate) bare_ratio: f64,
    /// Instructions, in wasmtime's fuel.
    pub(crate) fuel: u64,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) read: Call,
    write: Call,
}

#[derive(Deserialize)]
pub(crate) struct Call {
    pub(crate) context: Value,
    pub(crate) input: Value,
}

/// A message of the benchmark.
pub(crate) fn message(name: &str) -> Result<Message> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    read(&folder.join(name).with_extension("json"))
}

/// Measures the mapping of one message.
pub(crate) fn measure(message: &str) -> Result<Measured> {
    let call = self::message(message)?;

    let native_context = [convert(&call.read.context)?, convert(&call.write.context)?];
    let native_in: cambist_sdk::prelude::Inbound = convert(&call.read.input)?;
    let mut native_out: cambist_sdk::prelude::Outbound = convert(&call.write.input)?;
    let [read_context, write_context] = &native_context;
    native_out.changes = map_hubspot::HubSpot::read(read_context, native_in.clone())
        .map_err(|fault| anyhow::anyhow!("{message}: {fault:?}"))?;
    map_odoo::Odoo::write(write_context, native_out.clone())
        .map_err(|fault| anyhow::anyhow!("{message}: {fault:?}"))?;

    let cache = tempfile::tempdir()?;
    let sandbox = Sandbox::new(cache.path())?;
    let hubspot = plugin(&sandbox, "map-hubspot", None)?;
    let odoo = plugin(&sandbox, "map-odoo", None)?;
    let hubspot_kept = plugin(&sandbox, "map-hubspot", Some(KEPT))?;
    let odoo_kept = plugin(&sandbox, "map-odoo", Some(KEPT))?;
    let host_context = [convert(&call.read.context)?, convert(&call.write.context)?];
    let host_in = convert(&call.read.input)?;
    let mut host_out: Outbound = convert(&call.write.input)?;
    let [read_host, write_host] = &host_context;
    let sandboxed_read = || hubspot.read(read_host, &host_in, Arc::new(NoLinks));
    let (changes, read_fuel) = answer(sandboxed_read())?;
    host_out.changes = changes;
    let sandboxed_write = || odoo.write(write_host, &host_out, Arc::new(NoLinks));
    let (plan, write_fuel) = answer(sandboxed_write())?;
    let kept_read = || hubspot_kept.read(read_host, &host_in, Arc::new(NoLinks));
    let kept_write = || odoo_kept.write(write_host, &host_out, Arc::new(NoLinks));
    for _ in 0..2 {
        let answers = answer(kept_read())?.0 == host_out.changes && answer(kept_write())?.0 == plan;
        ensure!(answers, "{message}: a kept instance changes the answer");
    }
    ensure!(
        native::read::<map_hubspot::HubSpot>(read_host, &host_in)? == host_out.changes
            && native::write::<map_odoo::Odoo>(write_host, &host_out)? == plan,
        "{message}: the sandbox changes the answer"
    );

    let turns = turns(
        TURNS,
        [
            &mut || {
                each(
                    CALLS,
                    || native_in.clone(),
                    |input| map_hubspot::HubSpot::read(read_context, input),
                )
            },
            &mut || {
                each(
                    CALLS,
                    || native_out.clone(),
                    |input| map_odoo::Odoo::write(write_context, input),
                )
            },
            &mut || {
                each(
                    CALLS,
                    || (),
                    |()| native::read::<map_hubspot::HubSpot>(read_host, &host_in),
                )
            },
            &mut || {
                each(
                    CALLS,
                    || (),
                    |()| native::write::<map_odoo::Odoo>(write_host, &host_out),
                )
            },
            &mut || each(CALLS, || (), |()| sandboxed_read()),
            &mut || each(CALLS, || (), |()| sandboxed_write()),
            &mut || each(CALLS, || (), |()| kept_read()),
            &mut || each(CALLS, || (), |()| kept_write()),
        ],
    );
    Ok(Measured {
        message: message.to_owned(),
        bytes: native_in.body.len(),
        read: Side::of(
            &turns,
            read_fuel,
            |[bare, _, native, _, sandboxed, _, kept, _]| [bare, native, sandboxed, kept],
        ),
        write: Side::of(
            &turns,
            write_fuel,
            |[_, bare, _, native, _, sandboxed, _, kept]| [bare, native, sandboxed, kept],
        ),
        mapping: Side::of(&turns, read_fuel + write_fuel, |[a, b, c, d, e, f, g, h]| {
            [a + b, c + d, e + f, g + h]
        }),
    })
}

impl Side {
    /// Of the turns' times, `pick` takes the bare, the native, the sandboxed and the kept one.
    fn of<const N: usize>(
        turns: &[[Duration; N]],
        fuel: u64,
        pick: impl Fn([Duration; N]) -> [Duration; 4],
    ) -> Self {
        let picked: Vec<[f64; 4]> = turns.iter().map(|turn| pick(*turn).map(us)).collect();
        let middle = |of: fn(&[f64; 4]) -> f64| median(picked.iter().map(of).collect());
        Self {
            bare_us: middle(|[bare, ..]| *bare),
            native_us: middle(|[_, native, ..]| *native),
            sandboxed_us: middle(|[_, _, sandboxed, _]| *sandboxed),
            kept_us: middle(|[_, _, _, kept]| *kept),
            ratio: middle(|[_, native, sandboxed, _]| sandboxed / native),
            kept_ratio: middle(|[_, native, _, kept]| kept / native),
            bare_ratio: middle(|[bare, _, sandboxed, _]| sandboxed / bare),
            fuel,
        }
    }
}

/// A shipped plugin, with the limits and the grant that every binding has.
fn plugin(sandbox: &Sandbox, name: &str, kept: Option<u32>) -> Result<Arc<dyn Plugin>> {
    load(sandbox, name, &cambist_guests::component(name)?, kept)
}

/// A component, with the same; in fresh instances, or kept for up to so many calls.
pub(crate) fn load(
    sandbox: &Sandbox,
    name: &str,
    component: &[u8],
    kept: Option<u32>,
) -> Result<Arc<dyn Plugin>> {
    let kept = kept.map(Calls::try_from).transpose()?;
    let revision = Revision {
        plugin: name.to_owned(),
        component: Digest::of(component),
        settings: Value::Null,
        grants: [Grant::Log].into(),
        limits: Limits::default(),
        tables: Tables::new(),
        kept: kept.map(|calls| Kept {
            calls,
            binding: name.to_owned(),
        }),
    };
    Ok(sandbox.load(component, &revision)?)
}

pub(crate) fn answer<T>(called: Called<T>) -> Result<(T, u64)> {
    Ok((called.answer?, called.cost.fuel))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// By way of the text, because some types read JSON as text.
pub(crate) fn convert<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(serde_json::from_str(&value.to_string())?)
}
