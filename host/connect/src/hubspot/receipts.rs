//! The commands of a plan with what is known of each, and the receipts so far.

use std::collections::{BTreeMap, BTreeSet};

use cambist_contract::{
    delivery::{Effect, Receipt},
    digest::Digest,
    mapping::{Command, Record, RecordKey},
};

/// A plan on its way.
pub(crate) struct Receipts<'p> {
    plan: &'p [Command],
    written: &'p [Option<Digest>],
    kept: Vec<Option<Receipt>>,
    /// What this plan has changed already: of these the digests from before say nothing any more.
    changed: BTreeSet<(&'p str, &'p RecordKey)>,
}

/// The digest that stands for no values: what a removal is receipted with.
pub(crate) fn removed() -> Digest {
    Digest::of(b"")
}

impl<'p> Receipts<'p> {
    pub(crate) fn new(plan: &'p [Command], written: &'p [Option<Digest>]) -> Self {
        Self {
            plan,
            written,
            kept: vec![None; plan.len()],
            changed: BTreeSet::new(),
        }
    }

    /// The commands from a place on.
    pub(crate) fn rest(&self, at: usize) -> &'p [Command] {
        self.plan.get(at..).unwrap_or_default()
    }

    /// The records of some commands, with their places in the plan.
    pub(crate) fn records(&self, at: usize, length: usize) -> Vec<(usize, &'p Record)> {
        let commands = self.plan.iter().enumerate().skip(at).take(length);
        commands
            .filter_map(|(place, command)| match command {
                Command::Ensure(record) | Command::Upsert(record) => Some((place, record)),
                Command::Act(_) | Command::Remove(_) => None,
            })
            .collect()
    }

    /// The digest of what a command's record holds by our doing; none where that is not known.
    pub(crate) fn held(&self, place: usize) -> Option<Digest> {
        let command = self.plan.get(place)?;
        match self.changed.contains(&(command.model(), command.key())) {
            true => None,
            false => self.written.get(place).copied().flatten(),
        }
    }

    /// Keeps the receipt of a command.
    pub(crate) fn done(
        &mut self,
        place: usize,
        effect: Effect,
        target_id: Option<String>,
        written: Option<Digest>,
    ) {
        let (Some(command), Some(slot)) = (self.plan.get(place), self.kept.get_mut(place)) else {
            return;
        };
        if effect != Effect::Unchanged {
            self.changed.insert((command.model(), command.key()));
        }
        *slot = Some(Receipt {
            model: command.model().to_owned(),
            external_id: command.key().to_string(),
            effect,
            target_id,
            written,
            stands_for: match command {
                Command::Ensure(record) | Command::Upsert(record) => record.stands_for.clone(),
                Command::Act(_) | Command::Remove(_) => None,
            },
            fields: BTreeMap::new(),
        });
    }

    /// All of them, in the plan's order.
    pub(crate) fn into_list(self) -> Vec<Receipt> {
        self.kept.into_iter().flatten().collect()
    }
}
