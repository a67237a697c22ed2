//! A host with one good plugin beside those that are tried on it.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use cambist_contract::{
    Json,
    context::Context,
    digest::Digest,
    limits::Limits,
    message::MessageId,
    plugin::{CallError, Called, LoadError, Loader as _, NoLinks, Plugin},
    policy::{Proposal, Verdict},
    revision::{Grant, Revision, Tables},
};
use cambist_sandbox::{InUse, Sandbox};
use serde_json::json;
use tempfile::TempDir;

pub(crate) struct Host {
    sandbox: Sandbox,
    good: Arc<dyn Plugin>,
    _cache: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        let cache = TempDir::new().unwrap();
        let sandbox = Sandbox::new(cache.path()).unwrap();
        let good = cambist_guests::by_hand("good").unwrap();
        let good = sandbox
            .load(&good, &revision(&good, Limits::default(), &[]))
            .unwrap();
        Self {
            sandbox,
            good,
            _cache: cache,
        }
    }

    /// Loads a component, and sees that the host and its other plugin live on.
    pub(crate) fn load(
        &self,
        bytes: &[u8],
        limits: Limits,
        grants: &[&str],
    ) -> Result<Arc<dyn Plugin>, LoadError> {
        let loaded = self.sandbox.load(bytes, &revision(bytes, limits, grants));
        self.has_all_back("a load");
        self.lives("a load");
        loaded
    }

    /// Why a component is refused.
    pub(crate) fn refusal(&self, bytes: &[u8], grants: &[&str]) -> LoadError {
        self.load(bytes, Limits::default(), grants).err().unwrap()
    }

    /// A guest written by hand, under limits.
    pub(crate) fn guest(&self, name: &str, limits: Limits) -> Arc<dyn Plugin> {
        let bytes = cambist_guests::by_hand(name).unwrap();
        self.load(&bytes, limits, &[]).unwrap()
    }

    /// What a guest's `judge` fails with; the host and its other plugin live on.
    pub(crate) fn error(&self, name: &str, limits: Limits) -> CallError {
        let error = judge(&*self.guest(name, limits)).answer.unwrap_err();
        self.has_all_back(name);
        self.lives(name);
        error
    }

    /// Nothing is taken of the pool any more: instances, memories and tables are free.
    pub(crate) fn has_all_back(&self, after: &str) {
        assert_eq!(
            self.sandbox.in_use(),
            InUse::default(),
            "not all came back after {after}"
        );
    }

    /// The other plugin answers.
    pub(crate) fn lives(&self, after: &str) {
        assert!(
            judge(&*self.good).answer.is_ok(),
            "the host is not well after {after}"
        );
    }
}

pub(crate) fn revision(bytes: &[u8], limits: Limits, grants: &[&str]) -> Revision {
    Revision {
        plugin: "hostile".to_owned(),
        component: Digest::of(bytes),
        settings: json!({}),
        grants: grants
            .iter()
            .map(|grant| grant.parse::<Grant>().unwrap())
            .collect(),
        limits,
        tables: Tables::new(),
        kept: None,
    }
}

pub(crate) fn context() -> Context {
    Context {
        message: MessageId::from_text("m1"),
        flow: "deal-won".to_owned(),
        region: "de".to_owned(),
        unit: String::new(),
        time: "2026-11-22T04:00:00Z".parse().unwrap(),
        settings: Json::from(json!({})),
    }
}

/// Asks a policy about nothing.
pub(crate) fn judge(plugin: &dyn Plugin) -> Called<Verdict> {
    let proposal = Proposal {
        changes: Vec::new(),
        approvals: Vec::new(),
    };
    plugin.judge(&context(), &proposal, Arc::new(NoLinks))
}
