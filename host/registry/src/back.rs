//! Going back whole: to revisions that were live, with the settings, tables and limits that they had.
//!
//! They are the revisions that they were, from the archive, or they are refused: nothing of
//! today's config is put into them. What today's config bounds, though, bounds them as well: bindings,
//! grants, limits, isolation and signatures. A component that was taken out stays out.
//!
//! # What is not here
//!
//! Who is told that they differ from the config, and what ends that: `held.rs`.

use std::{collections::BTreeMap, io, sync::Arc};

use cambist_contract::{
    digest::Digest,
    isolation::{Isolation, Kept},
    revision::Revision,
};

use crate::{
    Binding, Pinned, Registry,
    error::RolloutError,
    examine::{Part, Refusal},
    held::Lived,
    life::Life,
    prepare::{Prepared, Unfit},
    rollout::Cause,
    step::told,
    terms::Terms,
};

impl Registry {
    /// Lets a plugin's bindings be served by exactly the revisions again that were live before the
    /// last change of any part: component, settings, grants, tables or limits. Where that is not what
    /// the config says, the plugin is held.
    ///
    /// # Errors
    ///
    /// There were none, or today's config does not allow them.
    pub fn go_back_whole(&self, plugin: &str, by: &str) -> Result<Digest, RolloutError> {
        let lived = {
            let lives = self.lives();
            let life = known(&lives, plugin)?;
            let before = life.before_whole().cloned();
            before.ok_or_else(|| RolloutError::None {
                plugin: plugin.to_owned(),
                what: "was live before, with whatever settings",
            })?
        };
        self.live_as_it_was(plugin, &lived, by)
    }

    /// The same for the revisions that were live together with the one whose id begins so, the
    /// last time that it was.
    ///
    /// # Errors
    ///
    /// There is no such revision, or today's config does not allow them.
    pub fn make_revision_live(&self, plugin: &str, revision: &str, by: &str) -> Result<Digest, RolloutError> {
        let lived = {
            let lives = self.lives();
            let mut meant = known(&lives, plugin)?.with_revision(revision).into_values();
            let (plugin, wanted) = (plugin.to_owned(), revision.to_owned());
            match (meant.next(), meant.next()) {
                (Some(lived), None) => lived.clone(),
                (Some(_), Some(_)) => return Err(RolloutError::AmbiguousRevision { plugin, wanted }),
                (None, _) => return Err(RolloutError::NoRevision { plugin, wanted }),
            }
        };
        self.live_as_it_was(plugin, &lived, by)
    }

    fn live_as_it_was(&self, plugin: &str, lived: &Lived, by: &str) -> Result<Digest, RolloutError> {
        let component = lived.0;
        let prepared =
            self.as_it_was(&self.serving().terms, plugin, lived)
                .map_err(|all| match together(all) {
                    Refusal::Host(reason) => RolloutError::Trouble(reason),
                    Refusal::Component(reason) => RolloutError::NotAsItWas {
                        plugin: plugin.to_owned(),
                        reason,
                    },
                })?;
        self.go_live(plugin, prepared, by, Cause::AsItWas)
            .map_err(|refusal| told(plugin, component, refusal))?;
        Ok(component)
    }

    /// What was live, ready to be so again on these terms; or everything that they do not allow.
    pub(crate) fn as_it_was(
        &self,
        terms: &Arc<Terms>,
        plugin: &str,
        lived: &Lived,
    ) -> Result<Prepared, Vec<Unfit>> {
        let (component, revisions) = lived;
        let mut unfit = missing(terms, plugin, revisions);
        if let Err(refusal) = self.is_not_out(plugin, component) {
            unfit.push(Unfit::as_a_whole(refusal));
        }
        let bytes = self.archive.component(component);
        let bytes = bytes.map_err(|error| unkept("component", component, &error));
        let admission = bytes.as_ref().ok().map(|bytes| terms.admission(bytes));
        let admission = match admission.transpose() {
            Ok(admission) => admission,
            Err(refused) => {
                unfit.push(Unfit::of(None)(refused));
                None
            }
        };
        let mut all = Vec::new();
        for (place, binding) in terms.of(plugin) {
            let Some(id) = revisions.get(&binding.name()) else {
                continue;
            };
            if let Some(Err(refused)) = admission.as_ref().map(|shown| terms.admit(binding, shown)) {
                unfit.push(Unfit::of(Some(place))(refused));
            }
            match self.archive.revision(id) {
                Ok(revision) => {
                    let beyond = beyond(binding, id, &revision).into_iter();
                    unfit
                        .extend(beyond.map(|(part, reason)| {
                            Unfit::of(Some(place))((part, Refusal::Component(reason)))
                        }));
                    all.push((place, binding, *id, revision));
                }
                Err(error) => unfit.push(Unfit {
                    binding: Some(place),
                    ..unkept("revision", id, &error)
                }),
            }
        }
        let bytes = match bytes {
            Ok(bytes) if unfit.is_empty() => bytes,
            Ok(_) => return Err(unfit),
            Err(lost) => {
                unfit.push(lost);
                return Err(unfit);
            }
        };
        self.try_again(terms, *component, &bytes, all)
    }

    /// Has revisions that may serve pass what any has to: they load in this host, its cases pass, and
    /// it takes the settings.
    fn try_again(
        &self,
        terms: &Arc<Terms>,
        component: Digest,
        bytes: &[u8],
        all: Vec<(usize, &Binding, Digest, Revision)>,
    ) -> Result<Prepared, Vec<Unfit>> {
        let about = self.loader.describe(bytes);
        let about = about.map_err(|error| vec![Unfit::as_a_whole(error.into())])?;
        let mut prepared = Prepared {
            component,
            version: about.version.clone(),
            terms: Arc::clone(terms),
            revisions: BTreeMap::new(),
            held: false,
        };
        for (place, binding, id, revision) in all {
            let tried = self.try_out(binding.stage, &revision, &about.cases, bytes);
            let plugin = tried
                .map_err(|refused| vec![Unfit::of(Some(place))(refused)])?
                .plugin;
            prepared.held |= !terms
                .differing(&revision.plugin, &binding.name(), component, &revision)
                .is_empty();
            let revision = Arc::new(revision);
            prepared.revisions.insert(place, Pinned { id, revision, plugin });
        }
        Ok(prepared)
    }
}

/// All that keeps something from serving, as one. The host's own trouble counts first: it may pass.
pub(crate) fn together(all: Vec<Unfit>) -> Refusal {
    let (mut reasons, mut troubles) = (Vec::<String>::new(), Vec::new());
    for unfit in all {
        match unfit.refusal {
            Refusal::Host(reason) => troubles.push(reason),
            Refusal::Component(reason) if reasons.contains(&reason) => {}
            Refusal::Component(reason) => reasons.push(reason),
        }
    }
    match troubles.is_empty() {
        true => Refusal::Component(reasons.join("; ")),
        false => Refusal::Host(troubles.join("; ")),
    }
}

fn known<'l>(lives: &'l BTreeMap<String, Life>, plugin: &str) -> Result<&'l Life, RolloutError> {
    let life = lives.get(plugin);
    life.ok_or_else(|| RolloutError::NoPlugin(plugin.to_owned()))
}

/// The bindings that were served and are not there any more, and those that came since: both sides
/// have to be the same, or some messages would be served by nothing, or by what never was.
fn missing(terms: &Terms, plugin: &str, revisions: &BTreeMap<String, Digest>) -> Vec<Unfit> {
    let now: BTreeMap<String, usize> = terms
        .of(plugin)
        .map(|(place, binding)| (binding.name(), place))
        .collect();
    let gone = revisions.keys().filter(|name| !now.contains_key(*name));
    let gone = gone.map(|name| {
        let text = format!(
            "binding `{name}` had a revision then, and the config does not bind plugin `{plugin}` there any more; \
             bind it again"
        );
        Unfit::as_a_whole(Refusal::Component(text))
    });
    let new = now.iter().filter(|(name, _)| !revisions.contains_key(*name));
    let new = new.map(|(name, place)| {
        let text = format!("binding `{name}` had no revision then; take it out of the config");
        Unfit::of(Some(*place))((Part::Plugin, Refusal::Component(text)))
    });
    gone.chain(new).collect()
}

/// What a revision may do or use that its binding does not allow.
fn beyond(binding: &Binding, id: &Digest, revision: &Revision) -> Vec<(Part, String)> {
    let of = format!("revision {} of binding `{}`", id.short(), binding.name());
    let grants = revision.grants.difference(&binding.grants).map(|grant| {
        let text =
            format!("{of} may import `{grant}`, which the binding does not grant any more; grant it again");
        (Part::Grants, text)
    });
    let limits = revision.limits.beyond(&binding.limits).into_iter().map(|it| {
        let text = format!(
            "{of} may use `{}` = {}, and the binding allows {}; raise the limit",
            it.limit, it.is, it.most
        );
        (Part::Limits, text)
    });
    let most = match binding.isolation {
        Isolation::Fresh => 1,
        Isolation::Calls(calls) => calls.get(),
    };
    let kept = revision.kept.as_ref().filter(|kept| kept.calls.get() > most);
    let kept = kept.map(|Kept { calls, .. }| {
        let text = format!(
            "{of} keeps an instance for {} calls, and the binding allows {most}; loosen its `isolation`",
            calls.get()
        );
        (Part::Isolation, text)
    });
    grants.chain(limits).chain(kept).collect()
}

/// The archive cannot give something back: it never had it, lost it, or cannot be read for now.
fn unkept(what: &str, id: &Digest, error: &io::Error) -> Unfit {
    let short = id.short();
    let refusal = match error.kind() {
        io::ErrorKind::NotFound => Refusal::Component(format!(
            "the archive of revisions does not keep {what} {short}; put the folder back from a copy"
        )),
        io::ErrorKind::InvalidData | io::ErrorKind::Other => Refusal::Component(format!(
            "the archive's {what} {short} cannot be used: {error}; put the folder back from a copy"
        )),
        _ => Refusal::Host(format!("{what} {short} cannot be read: {error}")),
    };
    Unfit::as_a_whole(refusal)
}
