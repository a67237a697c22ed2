//! The HubSpot-to-Odoo mapping as native functions and in fresh instances with
//! all limits on.
//!
//! Both sides run the same Rust functions, `read` of `map-hubspot` and `write` of
//! `map-odoo`, on the same message, on one thread, in turns. The native side
//! gets its input ready-made and answers the SDK's types; the sandboxed side is
//! the host's plugin port with all it does: making the instance, copying in and
//! out, and checking what the plugin answered.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use cambist_contract::{
    digest::Digest,
    limits::Limits,
    mapping::Outbound,
    plugin::{Called, Loader as _, NoLinks, Plugin},
    revision::{Grant, Revision, Tables},
};
use cambist_sandbox::Sandbox;
use cambist_sdk::prelude::Mapping as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::clock::{each, medians, us};

/// Turns of measuring, and calls in one turn.
const ROUNDS: usize = 21;
const CALLS: usize = 200;

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
    /// As a native function.
    pub(crate) native_us: f64,
    /// In a fresh instance, limits on.
    pub(crate) sandboxed_us: f64,
    /// How many times the native cost that is.
    pub(crate) ratio: f64,
    /// Instructions, in wasmtime's fuel.
    pub(crate) fuel: u64,
}

#[derive(Deserialize)]
struct Message {
    read: Call,
    write: Call,
}

#[derive(Deserialize)]
struct Call {
    context: Value,
    input: Value,
}

/// Measures the mapping of one message.
pub(crate) fn measure(message: &str) -> Result<Measured> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let call: Message = read(&folder.join(message).with_extension("json"))?;

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
    let hubspot = plugin(&sandbox, "map-hubspot")?;
    let odoo = plugin(&sandbox, "map-odoo")?;
    let host_context = [convert(&call.read.context)?, convert(&call.write.context)?];
    let host_in = convert(&call.read.input)?;
    let mut host_out: Outbound = convert(&call.write.input)?;
    let [read_host, write_host] = &host_context;
    let sandboxed_read = || hubspot.read(read_host, &host_in, Arc::new(NoLinks));
    let (changes, read_fuel) = answer(sandboxed_read())?;
    host_out.changes = changes;
    let sandboxed_write = || odoo.write(write_host, &host_out, Arc::new(NoLinks));
    let (_, write_fuel) = answer(sandboxed_write())?;

    let [native_read, native_write, sandboxed_read, sandboxed_write] = medians(
        ROUNDS,
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
            &mut || each(CALLS, || (), |()| sandboxed_read()),
            &mut || each(CALLS, || (), |()| sandboxed_write()),
        ],
    );
    Ok(Measured {
        message: message.to_owned(),
        bytes: native_in.body.len(),
        read: Side::of(native_read, sandboxed_read, read_fuel),
        write: Side::of(native_write, sandboxed_write, write_fuel),
        mapping: Side::of(
            native_read + native_write,
            sandboxed_read + sandboxed_write,
            read_fuel + write_fuel,
        ),
    })
}

impl Side {
    fn of(native: Duration, sandboxed: Duration, fuel: u64) -> Self {
        Self {
            native_us: us(native),
            sandboxed_us: us(sandboxed),
            ratio: us(sandboxed) / us(native),
            fuel,
        }
    }
}

/// A shipped plugin, with the limits and the grant that every binding has.
pub(crate) fn plugin(sandbox: &Sandbox, name: &str) -> Result<Arc<dyn Plugin>> {
    let component = cambist_guests::component(name)?;
    let revision = Revision {
        plugin: name.to_owned(),
        component: Digest::of(&component),
        settings: Value::Null,
        grants: [Grant::Log].into(),
        limits: Limits::default(),
        tables: Tables::new(),
    };
    Ok(sandbox.load(&component, &revision)?)
}

fn answer<T>(called: Called<T>) -> Result<(T, u64)> {
    Ok((called.answer?, called.cost.fuel))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// By way of the text, because some types read JSON as text.
fn convert<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(serde_json::from_str(&value.to_string())?)
}
