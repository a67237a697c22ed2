//! Where each component of each plugin stands, worked out of the steps that were taken.
//!
//! Nothing here decides or checks: a step that is in the ledger was taken.

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a component stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Standing {
    /// It came in and is being checked, or the host ended while it was.
    Checking,
    /// It did not pass.
    Refused {
        /// Why, with the way out.
        reason: String,
    },
    /// It passed and waits for somebody to make it live.
    Candidate,
    /// It serves its plugin's bindings.
    Live,
    /// It serves nothing new; messages that are pinned to it finish on it.
    Draining,
    /// No message is left that is pinned to it. It is kept, and can be made live again.
    Retired,
    /// It was taken out: nothing is called that has it, until it is made live again.
    Killed {
        /// Why.
        reason: String,
    },
}

impl Standing {
    /// Whether nothing is decided of it: it is to be checked, or to be checked again.
    pub(crate) fn is_open(standing: Option<&Self>) -> bool {
        matches!(standing, None | Some(Self::Checking | Self::Refused { .. }))
    }

    /// The state's name, as it stands in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Checking => "checking",
            Self::Refused { .. } => "refused",
            Self::Candidate => "candidate",
            Self::Live => "live",
            Self::Draining => "draining",
            Self::Retired => "retired",
            Self::Killed { .. } => "killed",
        }
    }
}

/// One component of a plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Component {
    pub(crate) standing: Standing,
    pub(crate) version: Option<String>,
    /// When it came to stand there, and by whom.
    pub(crate) since: Timestamp,
    pub(crate) by: String,
    /// Every revision that was made of it and was live.
    pub(crate) revisions: BTreeSet<Digest>,
}

/// What is known of one plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) components: BTreeMap<Digest, Component>,
    /// The component that came last as a file in the folder.
    pub(crate) seen: Option<Digest>,
    /// The one that is live, and the revision for each binding by its name.
    pub(crate) live: Option<(Digest, BTreeMap<String, Digest>)>,
    /// Those that were live, in order; the last one is now, or was last.
    history: Vec<Digest>,
}

impl Life {
    pub(crate) fn standing(&self, component: &Digest) -> Option<&Standing> {
        self.components.get(component).map(|known| &known.standing)
    }

    pub(crate) fn live_component(&self) -> Option<Digest> {
        self.live.as_ref().map(|(component, _)| *component)
    }

    /// The component that was live last, whether it still is or not.
    pub(crate) fn last_live(&self) -> Option<Digest> {
        self.history.last().copied()
    }

    /// The component that waits and came to wait last.
    pub(crate) fn candidate(&self) -> Option<Digest> {
        let waiting = self
            .components
            .iter()
            .filter(|(_, it)| it.standing == Standing::Candidate);
        waiting
            .max_by_key(|(_, it)| it.since)
            .map(|(component, _)| *component)
    }

    /// The component that was live before the one that is live, or was last; never one
    /// that was taken out.
    pub(crate) fn before(&self) -> Option<Digest> {
        let last = self.history.last()?;
        let is_out = |it: &Digest| matches!(self.standing(it), Some(Standing::Killed { .. }));
        let earlier = self.history.iter().rev().filter(|it| *it != last && !is_out(it));
        earlier.copied().next()
    }

    /// Moves along by one step.
    pub(crate) fn follow(&mut self, at: Timestamp, act: &Act) {
        let component = act.component;
        let is_live = self.live_component() == Some(component);
        let is_out = matches!(self.standing(&component), Some(Standing::Killed { .. }));
        let standing = match &act.step {
            Step::Registered { from } => {
                if *from == Origin::Folder {
                    self.seen = Some(component);
                }
                // what serves goes on serving, and what was taken out stays out
                (!is_live && !is_out).then_some(Standing::Checking)
            }
            Step::Refused { reason } => (!is_out).then(|| Standing::Refused {
                reason: reason.clone(),
            }),
            Step::Passed { .. } => (!is_live && !is_out).then_some(Standing::Candidate),
            Step::Live { revisions } => {
                self.go_live(at, act, revisions);
                Some(Standing::Live)
            }
            Step::Killed { reason } => {
                self.live.take_if(|(live, _)| *live == component);
                Some(Standing::Killed {
                    reason: reason.clone(),
                })
            }
            Step::Retired => Some(Standing::Retired),
        };
        let known = self.components.entry(component).or_insert_with(|| Component {
            standing: Standing::Checking,
            version: None,
            since: at,
            by: act.by.clone(),
            revisions: BTreeSet::new(),
        });
        match &act.step {
            Step::Passed { version } => known.version.clone_from(version),
            Step::Live { revisions } => known.revisions.extend(revisions.values()),
            _ => {}
        }
        if let Some(standing) = standing
            && known.standing != standing
        {
            known.standing = standing;
            known.since = at;
            known.by.clone_from(&act.by);
        }
    }

    fn go_live(&mut self, at: Timestamp, act: &Act, revisions: &BTreeMap<String, Digest>) {
        let before = self.live.replace((act.component, revisions.clone()));
        if self.history.last() != Some(&act.component) {
            self.history.push(act.component);
        }
        if let Some((before, _)) = before.filter(|(before, _)| *before != act.component)
            && let Some(known) = self.components.get_mut(&before)
        {
            known.standing = Standing::Draining;
            known.since = at;
            known.by.clone_from(&act.by);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn after(steps: &[(&str, Step)]) -> Life {
        let mut life = Life::default();
        for (second, (component, step)) in (0..).zip(steps) {
            let act = Act {
                plugin: "map".into(),
                component: Digest::of(component.as_bytes()),
                by: "someone".into(),
                step: step.clone(),
            };
            life.follow(Timestamp::from_second(second).unwrap(), &act);
        }
        life
    }

    fn digest(component: &str) -> Digest {
        Digest::of(component.as_bytes())
    }

    fn registered() -> Step {
        Step::Registered { from: Origin::Folder }
    }

    fn passed() -> Step {
        Step::Passed { version: None }
    }

    fn live(revision: &str) -> Step {
        let revisions = [("read".to_owned(), digest(revision))].into();
        Step::Live { revisions }
    }

    fn killed() -> Step {
        Step::Killed {
            reason: "wrong".into(),
        }
    }

    #[test]
    fn what_goes_live_sends_the_one_before_to_drain() {
        let life = after(&[
            ("a", registered()),
            ("a", passed()),
            ("a", live("a1")),
            ("b", registered()),
            ("b", passed()),
        ]);
        assert_eq!(life.standing(&digest("a")), Some(&Standing::Live));
        assert_eq!((life.candidate(), life.before()), (Some(digest("b")), None));
        let life = after(&[
            ("a", passed()),
            ("a", live("a1")),
            ("b", passed()),
            ("b", live("b1")),
            ("a", Step::Retired),
        ]);
        assert_eq!(life.standing(&digest("a")), Some(&Standing::Retired));
        assert_eq!(life.live_component(), Some(digest("b")));
        assert_eq!((life.candidate(), life.before()), (None, Some(digest("a"))));
    }

    #[test]
    fn going_back_twice_ends_where_it_began() {
        let steps = [("a", live("a1")), ("b", live("b1")), ("a", live("a1"))];
        assert_eq!(after(&steps).before(), Some(digest("b")));
        assert_eq!(after(&steps).standing(&digest("b")), Some(&Standing::Draining));
    }

    #[test]
    fn what_serves_stays_live_when_it_comes_in_again() {
        let life = after(&[
            ("a", live("a1")),
            ("a", registered()),
            ("a", passed()),
            ("a", live("a2")),
        ]);
        let known = life.components.get(&digest("a")).unwrap();
        assert_eq!((&known.standing, known.since.as_second()), (&Standing::Live, 0));
        assert_eq!(known.revisions, [digest("a1"), digest("a2")].into());
    }

    #[test]
    fn what_was_taken_out_stays_out_until_it_is_made_live() {
        let mut steps = vec![
            ("a", live("a1")),
            ("b", live("b1")),
            ("b", killed()),
            ("b", registered()),
            ("b", passed()),
        ];
        let life = after(&steps);
        assert!(matches!(
            life.standing(&digest("b")),
            Some(Standing::Killed { .. })
        ));
        assert_eq!((life.live_component(), life.before()), (None, Some(digest("a"))));
        steps.push(("b", live("b1")));
        assert_eq!(after(&steps).live_component(), Some(digest("b")));
        steps.push(("a", killed()));
        assert_eq!(after(&steps).before(), None);
    }
}
