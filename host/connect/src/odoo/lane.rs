//! Rows of several plans in one `load`, while many plans are under way.
//!
//! ```text
//!   plan ─ rows ─┐                       ┌─ its ids
//!   plan ─ rows ─┼─► one turn, one load ─┼─ its ids
//!   plan ─ rows ─┘                       └─ why its row was refused
//! ```
//!
//! Each plan hands in the rows of one step and goes on when they are in Odoo, so parents come first as its order says. Whoever
//! has a turn at the system carries all that wait in the same form, up to [`BATCH`] rows, and the others find theirs done. Nobody
//! waits for company: one that is alone has its turn at once.
//!
//! A row that is refused is left out and the others are loaded without it; where Odoo names no row, each goes by itself. When the
//! call itself came to nothing, all of them fail with it: the pipeline lets what has failed a few times go alone, so that a row that
//! brings Odoo down does not do so to others for ever.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cambist_contract::mapping::Record;
use tokio::sync::oneshot;

use super::{
    OdooClient,
    batch::Shape,
    load::{self, BATCH},
};
use crate::{
    ConnectError,
    line::{Line, Turn},
    metrics,
};

/// Rows of a call that are found out one after another, each by a call more. A batch with more bad rows than this goes row by
/// row: that is dearer than a batch by ten times and not by a hundred.
const FOUND_OUT: usize = 8;

/// What became of a row: Odoo's id of it, or why it is not there.
pub(crate) type Loaded = Result<i64, ConnectError>;

/// Where rows wait for a turn.
pub(crate) struct Lane {
    client: OdooClient,
    line: Line,
    waiting: Mutex<BTreeMap<Shape, VecDeque<Rows>>>,
}

/// The rows of one plan's step.
struct Rows {
    records: Vec<Record>,
    answer: oneshot::Sender<Vec<Loaded>>,
}

/// What one call carries.
#[derive(Default)]
struct Batch {
    rows: Vec<Record>,
    /// The places in `rows` by the text of the key.
    places: BTreeMap<String, usize>,
    /// Whose rows they are, with their places in the order handed in.
    plans: Vec<(oneshot::Sender<Vec<Loaded>>, Vec<usize>)>,
}

impl Lane {
    pub(crate) fn new(client: OdooClient, line: Line) -> Self {
        Self {
            client,
            line,
            waiting: Mutex::default(),
        }
    }

    /// Writes records of one [shape](Shape), at most [`BATCH`], and tells of each what became of it, in their order.
    pub(crate) async fn load(&self, records: Vec<Record>, urgent: bool) -> Vec<Loaded> {
        let Some(shape) = records.first().map(Shape::of) else {
            return Vec::new();
        };
        loop {
            let mut answer = self.line_up(&shape, records.clone(), urgent);
            let loaded = loop {
                tokio::select! {
                    biased;
                    loaded = &mut answer => break loaded,
                    turn = self.line.turn_for(urgent) => {
                        let batch = self.take(&shape);
                        if batch.plans.is_empty() {
                            // somebody is just carrying ours
                            turn.unused();
                            break answer.await;
                        }
                        self.carry(batch, turn).await;
                    }
                }
            };
            // whoever carried them broke off otherwise; the same again does no harm
            if let Ok(loaded) = loaded {
                return loaded;
            }
        }
    }

    fn line_up(&self, shape: &Shape, records: Vec<Record>, urgent: bool) -> oneshot::Receiver<Vec<Loaded>> {
        let (answer, answered) = oneshot::channel();
        let rows = Rows { records, answer };
        let mut waiting = self.waiting();
        let queue = waiting.entry(shape.clone()).or_default();
        match urgent {
            true => queue.push_front(rows),
            false => queue.push_back(rows),
        }
        answered
    }

    /// Takes what goes in one call: whole steps, for a later row may refer to an earlier one, and no record with two values.
    fn take(&self, shape: &Shape) -> Batch {
        let mut batch = Batch::default();
        let mut waiting = self.waiting();
        let Some(queue) = waiting.get_mut(shape) else {
            return batch;
        };
        while queue.front().is_some_and(|next| batch.has_room_for(next)) {
            if let Some(next) = queue.pop_front().filter(|next| !next.answer.is_closed()) {
                batch.add(next);
            }
        }
        if queue.is_empty() {
            waiting.remove(shape);
        }
        batch
    }

    /// Loads a batch and answers everybody.
    async fn carry(&self, batch: Batch, turn: Turn) {
        let mut loaded = BTreeMap::new();
        match turn.may_ask() {
            Ok(()) => {
                metrics::loaded(self.client.system(), batch.rows.len());
                turn.end(&self.load_all(&batch.rows, &mut loaded).await);
            }
            Err(error) => loaded.extend((0..batch.rows.len()).map(|place| (place, Err(error.clone())))),
        }
        for (answer, places) in batch.plans {
            let of_plan = places
                .iter()
                .filter_map(|place| loaded.get(place).cloned())
                .collect();
            // who has gone away is told nothing
            drop(answer.send(of_plan));
        }
    }

    /// Loads rows until each has come to something. The error is what the last call says of the system.
    async fn load_all(
        &self,
        rows: &[Record],
        loaded: &mut BTreeMap<usize, Loaded>,
    ) -> Result<(), ConnectError> {
        let mut open: Vec<(usize, &Record)> = rows.iter().enumerate().collect();
        for _ in 0..=FOUND_OUT {
            let records: Vec<&Record> = open.iter().map(|(_, record)| *record).collect();
            let error = match load::load(&self.client, &records).await {
                Ok(ids) => {
                    loaded.extend(open.iter().zip(ids).map(|((place, _), id)| (*place, Ok(id))));
                    return Ok(());
                }
                Err(error) => error,
            };
            match position(&open, &error) {
                Some(at) => {
                    let (place, _) = open.remove(at);
                    loaded.insert(place, Err(error));
                }
                None if may_be_of_a_row(&error) && open.len() > 1 => break,
                None => {
                    loaded.extend(open.iter().map(|(place, _)| (*place, Err(error.clone()))));
                    return Err(error);
                }
            }
            if open.is_empty() {
                return Ok(());
            }
        }
        self.load_each(&open, loaded).await
    }

    /// Loads rows one by one, until the system itself does not answer.
    async fn load_each(
        &self,
        rows: &[(usize, &Record)],
        loaded: &mut BTreeMap<usize, Loaded>,
    ) -> Result<(), ConnectError> {
        let mut broken: Option<ConnectError> = None;
        for (place, record) in rows {
            let outcome = match &broken {
                Some(error) => Err(error.clone()),
                None => load::load(&self.client, &[record])
                    .await
                    .and_then(|ids| ids.first().copied().ok_or_else(|| load::no_id(&self.client))),
            };
            if let Err(error) = &outcome
                && !may_be_of_a_row(error)
            {
                broken = Some(error.clone());
            }
            loaded.insert(*place, outcome);
        }
        broken.map_or(Ok(()), Err)
    }

    /// A panic while it was locked left it whole: every change is one step.
    fn waiting(&self) -> MutexGuard<'_, BTreeMap<Shape, VecDeque<Rows>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn has_room_for(&self, more: &Rows) -> bool {
        let same = |record: &Record| {
            let place = self.places.get(&record.key.to_string());
            place
                .and_then(|place| self.rows.get(*place))
                .map(|row| row.values == record.values)
        };
        let new = more
            .records
            .iter()
            .filter(|record| same(record).is_none())
            .count();
        self.plans.is_empty()
            || (self.rows.len() + new <= BATCH
                && more.records.iter().all(|record| same(record) != Some(false)))
    }

    /// Takes a step's rows in. One that several plans write with the same values goes once.
    fn add(&mut self, rows: Rows) {
        let mut places = Vec::with_capacity(rows.records.len());
        for record in rows.records {
            let next = self.rows.len();
            let place = self.places.entry(record.key.to_string()).or_insert(next);
            if self
                .rows
                .get(*place)
                .is_none_or(|row| row.values != record.values)
            {
                *place = next;
                self.rows.push(record);
            }
            places.push(*place);
        }
        self.plans.push((rows.answer, places));
    }
}

/// Which of the rows an error names.
fn position(rows: &[(usize, &Record)], error: &ConnectError) -> Option<usize> {
    let ConnectError::Refused { external_id, .. } = error else {
        return None;
    };
    rows.iter()
        .position(|(_, record)| record.key.to_string() == *external_id)
}

/// Whether an error may be one row's fault, where it names none.
fn may_be_of_a_row(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Refused { .. }
            | ConnectError::Misfit { .. }
            | ConnectError::NotAllowed { .. }
            | ConnectError::Gone { .. }
            | ConnectError::TooLarge { .. }
    )
}
