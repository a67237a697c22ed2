//! What serves whom at one moment: the terms, and the revisions at each binding's place.
//!
//! A snapshot: whoever looks sees one moment whole, and whoever changes makes the next.

use std::{collections::HashMap, sync::Arc};

use cambist_contract::{digest::Digest, stage::Stage};

use crate::{
    binding::{Binding, Subject},
    life::Mode,
    registry::Pinned,
    terms::Terms,
    trial::{Side, Trial},
};

/// What serves at the place of one binding.
#[derive(Clone, Default)]
pub(crate) struct Place {
    pub(crate) live: Option<Pinned>,
    pub(crate) beside: Option<Beside>,
}

/// What stands beside the live revision of a binding.
#[derive(Clone)]
pub(crate) struct Beside {
    pub(crate) pinned: Pinned,
    pub(crate) mode: Mode,
    /// How it does, at all its plugin's bindings together.
    pub(crate) trial: Arc<Trial>,
}

/// One moment.
pub(crate) struct Serving {
    pub(crate) terms: Arc<Terms>,
    /// One for each binding, in the order of the config.
    pub(crate) places: Vec<Place>,
    /// The place in the ledger of the last step that is in effect.
    pub(crate) step: u64,
    /// The shadow of a live revision, by the id of that one.
    shadows: HashMap<Digest, Pinned>,
    /// The trials that a call on a revision counts in.
    trials: HashMap<Digest, (Side, Arc<Trial>)>,
}

impl Serving {
    pub(crate) fn new(terms: Arc<Terms>, places: Vec<Place>) -> Self {
        let (mut shadows, mut trials) = (HashMap::new(), HashMap::new());
        for place in &places {
            let Some(beside) = &place.beside else { continue };
            if let Mode::Share(_) = beside.mode {
                trials.insert(beside.pinned.id, (Side::Share, Arc::clone(&beside.trial)));
            }
            let Some(live) = &place.live else { continue };
            match beside.mode {
                Mode::Shadow => drop(shadows.insert(live.id, beside.pinned.clone())),
                Mode::Share(_) => drop(trials.insert(live.id, (Side::Live, Arc::clone(&beside.trial)))),
            }
        }
        Self {
            terms,
            places,
            step: 0,
            shadows,
            trials,
        }
    }

    /// The binding that fits a message, and what serves there.
    pub(crate) fn at(&self, stage: Stage, subject: Subject<'_>) -> Option<(&Binding, &Place)> {
        let place = self.terms.place(stage, subject)?;
        self.terms.bindings.get(place).zip(self.places.get(place))
    }

    /// Every binding with what serves there, in the order of the config.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Binding, &Place)> {
        self.terms.bindings.iter().zip(&self.places)
    }

    /// The same with something else at some places.
    pub(crate) fn with(&self, change: impl Fn(usize, &mut Place)) -> Self {
        let mut places = self.places.clone();
        for (number, place) in places.iter_mut().enumerate() {
            change(number, place);
        }
        Self::new(Arc::clone(&self.terms), places)
    }

    /// The revision that is called beside a live one.
    pub(crate) fn shadow(&self, live: &Digest) -> Option<&Pinned> {
        self.shadows.get(live)
    }

    /// The trial that a call on a revision counts in.
    pub(crate) fn trial(&self, revision: &Digest) -> Option<&(Side, Arc<Trial>)> {
        self.trials.get(revision)
    }

    /// Every revision that serves, or stands beside.
    pub(crate) fn revisions(&self) -> impl Iterator<Item = &Pinned> {
        self.places.iter().flat_map(|place| {
            let beside = place.beside.as_ref().map(|beside| &beside.pinned);
            place.live.iter().chain(beside)
        })
    }

    /// The ids of these.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Digest> {
        self.revisions().map(|pinned| pinned.id)
    }
}
