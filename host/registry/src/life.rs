//! Where each component of each plugin stands, worked out of the steps that were taken.
//!
//! Nothing here decides or checks: a step that is in the ledger was taken.

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{
    digest::Digest,
    rollout::{Act, Origin, Step},
    share::Share,
};
use jiff::Timestamp;

use crate::{
    held::{Hold, Lived},
    standing::Standing,
};

/// One component of a plugin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Component {
    pub(crate) standing: Standing,
    pub(crate) version: Option<String>,
    /// When it came to stand there, and by whom.
    pub(crate) since: Timestamp,
    pub(crate) by: String,
    /// Every revision that was made of it and served, all keys or a share.
    pub(crate) revisions: BTreeSet<Digest>,
    /// Why it was withdrawn, when that was the last that became of it.
    pub(crate) withdrawn: Option<String>,
}

/// The component that stands beside the live one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Beside {
    pub(crate) component: Digest,
    pub(crate) mode: Mode,
    /// The revision for each binding by its name.
    pub(crate) revisions: BTreeMap<String, Digest>,
}

/// What a component does beside the live one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    /// It is called too, and compared.
    Shadow,
    /// It serves some keys.
    Share(Share),
}

/// What is known of one plugin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) components: BTreeMap<Digest, Component>,
    /// The component that came last as a file in the folder.
    pub(crate) seen: Option<Digest>,
    /// The one that is live, and the revision for each binding by its name.
    pub(crate) live: Option<Lived>,
    /// That other revisions than the config's serve, where they do.
    pub(crate) hold: Option<Hold>,
    /// The one that stands beside it.
    pub(crate) beside: Option<Beside>,
    /// How often a live one was taken out: what is checked meanwhile finds it another number.
    pub(crate) kills: u64,
    /// When a binding was served last by what went live, by its name.
    pub(crate) served: BTreeMap<String, Timestamp>,
    /// What was live, in order; the last one is now, or was last. One that only settings, tables or
    /// limits changed is another.
    pub(crate) history: Vec<Lived>,
}

impl Life {
    pub(crate) fn standing(&self, component: &Digest) -> Option<&Standing> {
        self.components.get(component).map(|known| &known.standing)
    }

    pub(crate) fn live_component(&self) -> Option<Digest> {
        self.live.as_ref().map(|(component, _)| *component)
    }

    /// Whether a component ever served all keys.
    pub(crate) fn was_live(&self, component: &Digest) -> bool {
        self.history.iter().any(|(lived, _)| lived == component)
    }

    /// Whether nothing of it ever served or may: it came in, and did not pass.
    pub(crate) fn came_to_nothing(&self) -> bool {
        let mut all = self.components.values();
        let is_nothing = |standing: &Standing| {
            matches!(
                standing,
                Standing::Checking | Standing::Refused { .. } | Standing::Killed { .. }
            )
        };
        self.history.is_empty() && all.all(|it| it.revisions.is_empty() && is_nothing(&it.standing))
    }

    /// The component that was live last, whether it still is or not.
    pub(crate) fn last_live(&self) -> Option<Digest> {
        self.history.last().map(|(component, _)| *component)
    }

    /// The component that waits and came to wait last.
    pub(crate) fn candidate(&self) -> Option<Digest> {
        self.latest(|standing| *standing == Standing::Candidate)
    }

    /// The component that may come next: the last that came to wait, or to stand beside.
    pub(crate) fn next(&self) -> Option<Digest> {
        self.latest(|standing| {
            matches!(
                standing,
                Standing::Candidate | Standing::Shadow | Standing::Sharing { .. }
            )
        })
    }

    fn latest(&self, is_meant: impl Fn(&Standing) -> bool) -> Option<Digest> {
        let meant = self.components.iter().filter(|(_, it)| is_meant(&it.standing));
        meant
            .max_by_key(|(_, it)| it.since)
            .map(|(component, _)| *component)
    }

    pub(crate) fn beside_component(&self) -> Option<Digest> {
        self.beside.as_ref().map(|beside| beside.component)
    }

    /// The component that was live before the one that is live, or was last; never one
    /// that was taken out.
    pub(crate) fn before(&self) -> Option<Digest> {
        let last = self.last_live()?;
        let mut earlier = self.history.iter().rev().map(|(component, _)| *component);
        earlier.find(|it| *it != last && !self.is_out(it))
    }

    /// Whether a component was taken out.
    pub(crate) fn is_out(&self, component: &Digest) -> bool {
        matches!(self.standing(component), Some(Standing::Killed { .. }))
    }

    /// Moves along by one step.
    pub(crate) fn follow(&mut self, at: Timestamp, act: &Act) {
        let component = act.component;
        let serves = [self.live_component(), self.beside_component()].contains(&Some(component));
        let is_out = self.is_out(&component);
        let standing = match &act.step {
            Step::Registered { from } => {
                if *from == Origin::Folder {
                    self.seen = Some(component);
                }
                // what serves goes on serving, and what was taken out stays out
                (!serves && !is_out).then_some(Standing::Checking)
            }
            Step::Refused { reason } => (!is_out).then(|| Standing::Refused {
                reason: reason.clone(),
            }),
            Step::Passed { .. } => (!serves && !is_out).then_some(Standing::Candidate),
            Step::Live { revisions, held } => {
                self.beside.take_if(|beside| beside.component == component);
                self.go_live(at, act, revisions, *held);
                Some(Standing::Live)
            }
            Step::Shadow { revisions } => {
                self.go_beside(at, act, Mode::Shadow, revisions);
                Some(Standing::Shadow)
            }
            Step::Share { share, revisions } => {
                self.go_beside(at, act, Mode::Share(*share), revisions);
                Some(Standing::Sharing { share: *share })
            }
            Step::Withdrawn { .. } => self
                .beside
                .take_if(|beside| beside.component == component)
                .map(|beside| beside.mode.left()),
            Step::Killed { reason } => {
                let was_live = self.live.take_if(|(live, _)| *live == component);
                self.kills += u64::from(was_live.is_some());
                self.hold.take_if(|_| was_live.is_some());
                self.beside.take_if(|beside| beside.component == component);
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
            withdrawn: None,
        });
        match &act.step {
            Step::Passed { version } => known.version.clone_from(version),
            Step::Live { revisions, .. } | Step::Share { revisions, .. } => {
                known.revisions.extend(revisions.values());
            }
            _ => {}
        }
        known.withdrawn = match &act.step {
            Step::Withdrawn { reason } => Some(reason.clone()),
            Step::Live { .. } | Step::Shadow { .. } | Step::Share { .. } => None,
            _ => known.withdrawn.take(),
        };
        if let Some(standing) = standing {
            known.come_to(standing, at, &act.by);
        }
    }

    fn go_live(&mut self, at: Timestamp, act: &Act, revisions: &BTreeMap<String, Digest>, held: bool) {
        let lived = (act.component, revisions.clone());
        let before = self.live.replace(lived.clone());
        self.served
            .extend(revisions.keys().map(|binding| (binding.clone(), at)));
        let hold = self.hold.take().filter(|_| held);
        self.hold = held.then(|| Hold::of(hold, at, act, before.as_ref(), &lived));
        if self.history.last() != Some(&lived) {
            self.history.push(lived);
        }
        if let Some((before, _)) = before.filter(|(before, _)| *before != act.component)
            && let Some(known) = self.components.get_mut(&before)
        {
            known.come_to(Standing::Draining, at, &act.by);
        }
    }

    fn go_beside(&mut self, at: Timestamp, act: &Act, mode: Mode, revisions: &BTreeMap<String, Digest>) {
        let before = self.beside.replace(Beside {
            component: act.component,
            mode,
            revisions: revisions.clone(),
        });
        if let Some(before) = before.filter(|before| before.component != act.component)
            && let Some(known) = self.components.get_mut(&before.component)
        {
            known.come_to(before.mode.left(), at, &act.by);
        }
    }
}

impl Mode {
    /// Where a component stands that did this and does not any more: messages may be
    /// pinned to what served a share.
    fn left(self) -> Standing {
        match self {
            Self::Shadow => Standing::Candidate,
            Self::Share(_) => Standing::Draining,
        }
    }

    /// The step that brings a component there.
    pub(crate) fn step(self, revisions: BTreeMap<String, Digest>) -> Step {
        match self {
            Self::Shadow => Step::Shadow { revisions },
            Self::Share(share) => Step::Share { share, revisions },
        }
    }

    /// The bounds that it is watched for; a shadow is not.
    pub(crate) fn share(self) -> Share {
        match self {
            Self::Shadow => Share::of(1),
            Self::Share(share) => share,
        }
    }
}

impl Component {
    fn come_to(&mut self, standing: Standing, at: Timestamp, by: &str) {
        if self.standing != standing {
            self.standing = standing;
            self.since = at;
            by.clone_into(&mut self.by);
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
        Step::Live {
            revisions,
            held: false,
        }
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

    fn shadow() -> Step {
        Step::Shadow {
            revisions: BTreeMap::new(),
        }
    }

    fn share(percent: u8) -> Step {
        let revisions = [("read".to_owned(), digest("b1"))].into();
        Step::Share {
            share: Share::of(percent),
            revisions,
        }
    }

    fn withdrawn() -> Step {
        Step::Withdrawn {
            reason: "enough seen".into(),
        }
    }

    #[test]
    fn what_stands_beside_leaves_the_live_one_where_it_is() {
        let mut steps = vec![("a", live("a1")), ("b", passed()), ("b", shadow())];
        let life = after(&steps);
        assert_eq!(life.live_component(), Some(digest("a")));
        assert_eq!(life.standing(&digest("b")), Some(&Standing::Shadow));
        assert_eq!((life.candidate(), life.next()), (None, Some(digest("b"))));
        steps.push(("b", share(10)));
        let standing = Standing::Sharing { share: Share::of(10) };
        assert_eq!(after(&steps).standing(&digest("b")), Some(&standing));
        steps.extend([("b", registered()), ("b", passed())]);
        assert_eq!(after(&steps).standing(&digest("b")), Some(&standing));
        steps.push(("b", live("b1")));
        let life = after(&steps);
        assert_eq!((life.live_component(), life.beside), (Some(digest("b")), None));
    }

    #[test]
    fn what_is_withdrawn_says_why_and_drains_where_it_served() {
        let mut steps = vec![
            ("a", live("a1")),
            ("b", passed()),
            ("b", shadow()),
            ("b", withdrawn()),
        ];
        let life = after(&steps);
        let known = life.components.get(&digest("b")).unwrap();
        assert_eq!(known.standing, Standing::Candidate);
        assert_eq!(known.withdrawn.as_deref(), Some("enough seen"));
        steps.extend([("b", share(10)), ("b", withdrawn())]);
        let life = after(&steps);
        let known = life.components.get(&digest("b")).unwrap();
        assert_eq!(known.standing, Standing::Draining);
        assert_eq!(known.revisions, [digest("b1")].into());
        steps.push(("b", shadow()));
        let life = after(&steps);
        assert_eq!(life.components.get(&digest("b")).unwrap().withdrawn, None);
    }

    #[test]
    fn one_stands_beside_at_a_time() {
        let life = after(&[
            ("a", live("a1")),
            ("b", share(10)),
            ("c", shadow()),
            ("d", shadow()),
        ]);
        assert_eq!(life.beside_component(), Some(digest("d")));
        assert_eq!(life.standing(&digest("b")), Some(&Standing::Draining));
        assert_eq!(life.standing(&digest("c")), Some(&Standing::Candidate));
        let life = after(&[("a", live("a1")), ("b", share(10)), ("b", killed())]);
        assert_eq!(life.beside, None);
        assert_eq!(life.live_component(), Some(digest("a")));
    }
}
