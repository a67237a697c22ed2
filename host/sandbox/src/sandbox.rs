//! Loads components: compile once, check, link what is granted.

use std::{path::Path, sync::Arc};

use cambist_contract::{
    limits::Limits,
    plugin::{Description, LoadError, Loader, Plugin},
    revision::Revision,
};
use thiserror::Error;
use wasmtime::{
    Engine,
    component::{Component, Linker},
};

use crate::{
    bounds,
    cache::Cache,
    check, describe,
    engine::{MAX_DEPTH, MAX_FUEL, MAX_INSTANCES, MAX_MEMORIES, MAX_MEMORY, MAX_TABLE_ENTRIES},
    engines::Engines,
    guest::{Guest, State, Terms},
    kept::{Keeper, Shelf},
    trap,
};

/// The sandbox cannot be set up.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// Wasmtime does not start with the host's settings.
    #[error(
        "cannot start the WebAssembly engine: {0}; it needs some TiB of address space (`ulimit -v unlimited`)"
    )]
    Engine(String),
    /// The cache's folder cannot be used.
    #[error("cannot use the cache of compiled plugins at {path}")]
    Cache {
        /// The folder.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Makes plugins of components. One for a host.
pub struct Sandbox {
    engines: Engines,
    /// For what no binding's limits are known of yet.
    engine: Engine,
    cache: Cache,
    shelf: Arc<Shelf>,
    seed: u64,
}

/// What instances hold of the engine's pool, those of calls under way and those that wait
/// for another call.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InUse {
    /// Components' instances.
    pub instances: u64,
    /// Linear memories.
    pub memories: u64,
    /// Tables.
    pub tables: u64,
}

impl Sandbox {
    /// Starts the engine. Compiled components are kept under `cache`.
    ///
    /// # Errors
    ///
    /// The engine does not start, or others may write to the folder.
    pub fn new(cache: &Path) -> Result<Self, SandboxError> {
        let engines = Engines::default();
        let engine = engines
            .with_stack(Limits::default().stack)
            .map_err(|error| SandboxError::Engine(error.to_string()))?;
        let cache = Cache::open(cache, &engine).map_err(|source| SandboxError::Cache {
            path: cache.display().to_string(),
            source,
        })?;
        Ok(Self {
            engines,
            engine,
            cache,
            shelf: Arc::default(),
            seed: 0,
        })
    }

    /// The same, with the randomness from which it draws how long instances are kept.
    /// Without it the draws are those of seed 0.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What is taken of the pool now.
    pub fn in_use(&self) -> InUse {
        self.engines.in_use()
    }

    fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
        if let Some(component) = self.cache.compiled(engine, bytes) {
            return Ok(component);
        }
        bounds::check(bytes)?;
        self.cache
            .compile(engine, bytes)
            .map_err(|error| trap::not_compiled(&format!("{error:#}")))
    }
}

impl Loader for Sandbox {
    fn load(&self, bytes: &[u8], revision: &Revision) -> Result<Arc<dyn Plugin>, LoadError> {
        fits(&revision.limits)?;
        check::size(bytes)?;
        check::begins_as_component(bytes)?;
        check::one_component(bytes)?;
        let engine = self.engines.with_stack(revision.limits.stack)?;
        let component = self.compile(&engine, bytes)?;
        let (generation, exports) = check::exports(&engine, &component)?;
        check::imports(&engine, &component, generation, &revision.grants)?;
        let mut linker = Linker::<State>::new(&engine);
        (generation.link)(&mut linker, &revision.grants)
            .map_err(|error| LoadError::Host(format!("{error:#}")))?;
        // every import has a name that is linked, so it can only be of another type
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| LoadError::WrongImport(trap::cut(format!("{error:#}"))))?;
        let terms = Terms {
            limits: revision.limits.clone(),
            grants: revision.grants.clone(),
            tables: revision.tables.clone(),
        };
        (generation.prepare)(
            Guest {
                engine,
                pre,
                terms: Arc::new(terms),
                keeper: Keeper::new(&self.shelf, revision.kept.as_ref(), &revision.id(), self.seed),
            },
            exports,
        )
    }

    fn describe(&self, bytes: &[u8]) -> Result<Description, LoadError> {
        check::size(bytes)?;
        check::begins_as_component(bytes)?;
        check::one_component(bytes)?;
        let component = self.compile(&self.engine, bytes)?;
        describe::describe(&self.engine, bytes, &component)
    }
}

/// Refuses limits that the host cannot keep.
fn fits(limits: &Limits) -> Result<(), LoadError> {
    let settings = [
        ("memory", limits.memory, MAX_MEMORY),
        ("fuel", limits.fuel, MAX_FUEL),
        ("table-entries", limits.table_entries, MAX_TABLE_ENTRIES),
        ("instances", limits.instances.into(), MAX_INSTANCES.into()),
        ("memories", limits.memories.into(), MAX_MEMORIES.into()),
        ("depth", limits.depth.into(), MAX_DEPTH.into()),
    ];
    match settings.into_iter().find(|(_, asked, most)| asked > most) {
        Some((setting, _, most)) => Err(LoadError::TooLarge(format!("`{setting}` may be at most {most}"))),
        None => Ok(()),
    }
}
