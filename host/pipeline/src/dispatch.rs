//! Many messages at once: claims what is due and works on it, up to a bound.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use cambist_connect::{Systems, line::Line};
use cambist_journal::{Heard, Journal, JournalError, Shadows, UnderWay, journal::Claim};
use cambist_registry::Registry;
use jiff::Timestamp;
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};
use tracing::Instrument as _;

use crate::{
    calls::Calls,
    delivering::Delivering,
    door::{Door, Doors, Name, Place, Side},
    held::Held,
    options::Routes,
    ownership::Owner,
    shadow::Shadowing,
    shut::{Shut, Until},
    way::{self, Went},
};

/// How often due times are looked at when nothing else happens. A retry is at
/// most so late.
const LOOK: Duration = Duration::from_millis(250);

/// How long is waited when the journal cannot be read, or the work on a message
/// broke off: asking at once again does not mend it.
pub(crate) const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// What a pipeline is made of.
pub struct Setup {
    /// Where messages come from and what happens to them goes.
    pub journal: Arc<dyn Journal>,
    /// Which revisions serve whom.
    pub registry: Arc<Registry>,
    /// Where is kept what shadows answered.
    pub shadows: Arc<dyn Shadows>,
    /// Where is kept what systems said of what is not theirs.
    pub heard: Arc<dyn Heard>,
    /// The marks of what is being worked on, and those that the last process left.
    pub under_way: UnderWay,
    /// The systems at the other ends.
    pub systems: Systems,
    /// Which messages go which way.
    pub routes: Routes,
    /// Which side each system is on, for the system-of-record rules. One that is
    /// not named counts as a CRM, which owns nothing of the books.
    pub sides: BTreeMap<String, Owner>,
    /// Messages that are worked on at once, of all flows, not counting those that are being
    /// fetched or delivered or wait for it: a door before each system bounds these.
    pub at_once: usize,
    /// Plugin calls of one flow that compute at once: at least one, and fewer than there are
    /// processors where there are several, so that no flow's plugins can keep all of them.
    pub calls_at_once: usize,
    /// The time.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Told the name of each stage when it has been recorded. For crash tests;
    /// it may never return.
    pub reached: Option<Reached>,
    /// Told the span of each message that came with a `traceparent`, so that a
    /// tracer can hang the one from the other.
    pub traced: Option<Traced>,
}

/// Told a message's span and the `traceparent` it came with.
pub type Traced = fn(&tracing::Span, &str);

/// Told the name of a stage.
pub type Reached = Arc<dyn Fn(&str) + Send + Sync>;

/// The way of all messages.
pub struct Pipeline {
    pub(crate) setup: Setup,
    pub(crate) doors: Doors,
    pub(crate) shadowing: Shadowing,
    pub(crate) delivering: Delivering,
    pub(crate) shut: Shut,
    /// Which messages go which way, from the last config that holds.
    routes: RwLock<Routes>,
    pub(crate) calls: Calls,
    /// What of `at_once` is free.
    slots: Arc<Semaphore>,
    /// Told when a slot is free before its message has ended.
    pub(crate) freed: Notify,
    /// True once the pipeline is told to stop.
    stopping: watch::Sender<bool>,
}

impl Pipeline {
    /// A pipeline that is not running yet.
    pub fn new(mut setup: Setup) -> Self {
        Self {
            routes: RwLock::new(std::mem::take(&mut setup.routes)),
            slots: Arc::new(Semaphore::new(setup.at_once)),
            shadowing: Shadowing::new(Arc::clone(&setup.shadows)),
            doors: Doors::new(setup.at_once),
            delivering: Delivering::default(),
            shut: Shut::default(),
            calls: Calls::new(setup.calls_at_once),
            setup,
            freed: Notify::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Lets messages that begin from now on go other ways. `together` does in the same moment
    /// what else has to change: no message is routed meanwhile.
    pub fn reroute(&self, routes: Routes, together: impl FnOnce()) {
        let mut now = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        together();
        *now = routes;
    }

    /// Which messages go which way. To be held for moments only, and never while waiting.
    pub(crate) fn routes(&self) -> RwLockReadGuard<'_, Routes> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until `stop` is told or dropped. What is under way by then goes on to
    /// its end; what is claimed by nobody, or stands before the door of a system or
    /// of its flow, waits for the next start.
    pub async fn run(self: Arc<Self>, mut stop: tokio::sync::watch::Receiver<bool>) {
        let mut changed = self.setup.journal.changed();
        let mut tasks = JoinSet::new();
        // before anything is begun: it is known by its marks
        while let Err(error) = self.count_what_was_left().await {
            tracing::error!(%error, "what the last process was at cannot be counted; nothing is begun before");
            tokio::select! {
                () = tokio::time::sleep(AFTER_TROUBLE) => {}
                _ = stop.changed() => return,
            }
        }
        loop {
            changed.mark_unchanged();
            // what broke one off is told by what it held
            while tasks.try_join_next().is_some() {}
            if let Err(error) = self.claim(&mut tasks).await {
                tracing::error!(%error, "cannot claim messages");
                // not for a change of the journal: under load there is always one
                tokio::select! {
                    () = tokio::time::sleep(AFTER_TROUBLE) => continue,
                    _ = stop.changed() => break,
                }
            }
            tokio::select! {
                _ = changed.changed() => {}
                Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
                () = self.freed.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => break,
            }
        }
        self.stopping.send_replace(true);
        while tasks.join_next().await.is_some() {}
    }

    async fn claim(self: &Arc<Self>, tasks: &mut JoinSet<()>) -> Result<(), JournalError> {
        let free = std::iter::repeat_with(|| Arc::clone(&self.slots).try_acquire_owned());
        let free: Vec<_> = free.map_while(Result::ok).collect();
        if free.is_empty() {
            return Ok(());
        }
        let shut = self.shut.still(Instant::now(), |door| self.door(door).has_room());
        let now = (self.setup.now)();
        let claims = self.setup.journal.claim_beside(now, free.len(), &shut).await?;
        for (claim, slot) in claims.into_iter().zip(free) {
            let pipeline = Arc::clone(self);
            let id = claim.message.id.clone();
            let parent = claim.message.headers.get("traceparent").map(String::as_str);
            let span = tracing::info_span!(
                "message",
                message_id = %id,
                system = claim.message.system,
                traceparent = parent,
            );
            if let (Some(traced), Some(parent)) = (self.setup.traced, parent) {
                traced(&span, parent);
            }
            let work = async move {
                let held = Held::new(&pipeline, &id);
                if let Err(error) = pipeline.go(claim, Place::slot(slot)).await {
                    tracing::error!(%error, "the journal did not take what happened; the message is tried again");
                    tokio::time::sleep(AFTER_TROUBLE).await;
                    pipeline.setup.journal.release(&id);
                }
                held.end();
            };
            tasks.spawn(work.instrument(span));
        }
        Ok(())
    }

    /// Works on one message, and waits at the doors of its systems where it must.
    async fn go(&self, claim: Claim, mut place: Place) -> Result<(), JournalError> {
        let id = claim.message.id.clone();
        let mut claim = claim;
        loop {
            let (door, lane, backlog) = match way::go(self, claim, &mut place).await? {
                Went::On => return Ok(()),
                Went::Before(door, lane, backlog) => (door, lane, backlog),
                Went::NotNow(backlog, until) => {
                    if let Some(until) = until {
                        self.shut.shut(backlog, until);
                    }
                    self.setup.journal.release(&id);
                    return Ok(());
                }
            };
            let before = self.door(&door);
            let mut stopping = self.stopping.subscribe();
            let entered = tokio::select! {
                entered = before.wait(place, &lane, || self.freed.notify_one()) => entered,
                _ = stopping.wait_for(|stopping| *stopping) => {
                    // it has not begun there; the next start goes on with it
                    self.setup.journal.release(&id);
                    return Ok(());
                }
            };
            let Some(behind) = entered else {
                self.shut.shut(backlog, Until::Room(door));
                self.setup.journal.release(&id);
                return Ok(());
            };
            place = behind;
            // read again, so that nobody holds a whole message while it waits
            let Some(found) = self.setup.journal.message(&id).await? else {
                return Ok(());
            };
            claim = found;
        }
    }

    /// The door of this name.
    pub(crate) fn door(&self, name: &Name) -> Arc<Door> {
        let systems = &self.setup.systems;
        let line = systems.line(&name.1).filter(|_| name.0 != Side::Flow);
        let together = match name.0 {
            Side::Target => systems.target(&name.1).map(|target| target.together()),
            Side::Source | Side::Flow => None,
        };
        self.doors.of(name, line.map(Line::at_once), together)
    }

    /// Gives a message a slot of those that its flow may have. False if there is none: then
    /// it is to wait before its flow's door, and to hold nothing that another flow's
    /// message could use, be it a slot or a place behind the door of the source.
    pub(crate) async fn go_to_work(&self, place: &mut Place, flow: &str) -> bool {
        if !place.is_behind(Side::Flow) {
            let door = self.door(&(Side::Flow, flow.to_owned()));
            let Some(behind) = door.enter() else {
                return false;
            };
            *place = behind.with(place.take_slot());
        }
        if !place.has_slot() {
            // the semaphore is never closed
            let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
            *place = std::mem::take(place).with(slot);
        }
        true
    }

    pub(crate) fn reached(&self, point: &str) {
        if let Some(reached) = &self.setup.reached {
            reached(point);
        }
    }
}
