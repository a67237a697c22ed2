//! This generation's names for the host's functions.

use std::collections::BTreeSet;

use cambist_contract::revision::Grant;
use wasmtime::component::{HasSelf, Linker};

use super::{
    bindings::cambist::plugin::{links, log, reference, types},
    convert::{Allowed, FromWit as _},
};
use crate::{guest::State, imports};

/// Links what the grants allow, and nothing else.
pub(crate) fn link(linker: &mut Linker<State>, grants: &BTreeSet<Grant>) -> wasmtime::Result<()> {
    if grants.contains(&Grant::Log) {
        log::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)?;
    }
    if grants.iter().any(|grant| matches!(grant, Grant::Reference(_))) {
        reference::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)?;
    }
    if grants.iter().any(|grant| matches!(grant, Grant::Links(_))) {
        links::add_to_linker::<_, HasSelf<_>>(linker, |state: &mut State| state)?;
    }
    Ok(())
}

impl log::Host for State {
    fn write(&mut self, level: log::Level, text: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        imports::log::write(self, level, text)
    }

    fn panicked(
        &mut self,
        (a, b, c, d, e, f, g, h): (u64, u64, u64, u64, u64, u64, u64, u64),
    ) -> wasmtime::Result<()> {
        // the lowest six bytes of each, as `log.wit` says
        let piece = [a, b, c, d, e, f, g, h].map(|number| {
            let [a, b, c, d, e, f, _, _] = number.to_le_bytes();
            [a, b, c, d, e, f]
        });
        imports::log::panicked(self, piece.as_flattened())
    }
}

impl reference::Host for State {
    fn find(
        &mut self,
        table: String,
        key: String,
    ) -> wasmtime::Result<Result<Option<String>, reference::ReferenceError>> {
        let answer = imports::reference::find(self, table, &key)?;
        Ok(answer.map_err(|refused| reference::ReferenceError::NotGranted(refused.0)))
    }
}

impl links::Host for State {
    fn find(
        &mut self,
        entity: types::EntityRefResult,
        system: String,
    ) -> wasmtime::Result<Result<Option<links::Link>, links::LinksError>> {
        // it holds no list and no JSON
        let entity = cambist_contract::canonical::EntityRef::from_wit(entity, &mut Allowed::new(0, 0))
            .map_err(|wrong| wasmtime::Error::msg(wrong.to_string()))?;
        let answer = imports::links::find(self, &entity, system)?;
        let found = answer.map(|found| {
            found.map(|link| links::Link {
                model: link.model,
                external_id: link.external_id,
                id: link.id,
            })
        });
        Ok(found.map_err(|refused| links::LinksError::NotGranted(refused.0)))
    }
}

impl types::Host for State {}
