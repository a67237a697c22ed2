//! A plugin that stands as a file, in whatever language: `read` of the benchmark's deals in
//! fresh instances, and in one that is kept. `--plugin build/first-plugin-ts.wasm`.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::plugin::NoLinks;
use cambist_sandbox::Sandbox;
use serde::Serialize;

use crate::{
    clock::{each, median, turns, us},
    mapping::{self, answer, convert},
};

/// Fewer than of the mapping in Rust: a call takes some hundred times as long.
const TURNS: usize = 15;
const CALLS: usize = 20;

/// What was measured: microseconds of processor time for each call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Measured {
    pub(crate) message: String,
    pub(crate) fresh_us: f64,
    pub(crate) kept_us: f64,
    /// What share of the fresh one's cost the kept one is.
    pub(crate) ratio: f64,
}

/// Measures the file's `read` of one message.
pub(crate) fn measure(file: &Path, message: &str) -> Result<Measured> {
    let component = std::fs::read(file).with_context(|| file.display().to_string())?;
    let call = mapping::message(message)?.read;
    let (context, input) = (convert(&call.context)?, convert(&call.input)?);
    let cache = tempfile::tempdir()?;
    let sandbox = Sandbox::new(cache.path())?;
    let fresh = mapping::load(&sandbox, "file", &component, None)?;
    let kept = mapping::load(&sandbox, "file", &component, Some(mapping::KEPT))?;
    let (expected, _) = answer(fresh.read(&context, &input, Arc::new(NoLinks)))?;
    for _ in 0..3 {
        let (answered, _) = answer(kept.read(&context, &input, Arc::new(NoLinks)))?;
        ensure!(
            answered == expected,
            "{message}: a kept instance changes the answer"
        );
    }
    let turns = turns(
        TURNS,
        [
            &mut || each(CALLS, || (), |()| fresh.read(&context, &input, Arc::new(NoLinks))),
            &mut || each(CALLS, || (), |()| kept.read(&context, &input, Arc::new(NoLinks))),
        ],
    );
    let turns: Vec<[f64; 2]> = turns.into_iter().map(|turn| turn.map(us)).collect();
    let middle = |of: fn(&[f64; 2]) -> f64| median(turns.iter().map(of).collect());
    Ok(Measured {
        message: message.to_owned(),
        fresh_us: middle(|[fresh, _]| *fresh),
        kept_us: middle(|[_, kept]| *kept),
        ratio: middle(|[fresh, kept]| kept / fresh),
    })
}
