//! How an event moves a message's status along, and which events are out of turn.
//!
//! This is the one place that knows the states' order; every store folds a
//! message's entries with it, so that two stores can never disagree on where a
//! message stands. It knows neither claims nor other messages: what wakes a
//! waiting message is the store's business.

use cambist_contract::{fault::Reason, message::Message, stage::Stage};
use jiff::Timestamp;

use crate::{Event, JournalError, State, Status, blank, erasure::Extent};

impl Status {
    /// Where a message stands when it has just been received.
    pub(crate) fn received(arrival: u64, message: &Message) -> Self {
        Self {
            id: message.id.clone(),
            arrival,
            system: message.system.clone(),
            event: message.event.clone(),
            object: format!("{}/{}", message.object_kind, message.object_id),
            key: message.key.clone(),
            flow: None,
            region: None,
            received_at: message.received_at,
            updated_at: message.received_at,
            passed: None,
            attempts: 0,
            erased: None,
            behind: None,
            holds: 0,
            state: State::Due {
                at: message.received_at,
            },
        }
    }

    /// Moves the status along by one event.
    ///
    /// # Errors
    ///
    /// [`JournalError::OutOfTurn`]; the status is as it was.
    pub(crate) fn turn(&mut self, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        if !self.takes(event) {
            return Err(JournalError::OutOfTurn {
                id: self.id.clone(),
                state: self.erased.map_or(self.state.name(), |_| blank::ERASED),
                event: event.name(),
            });
        }
        match event {
            Event::Received { .. }
            | Event::Called { .. }
            | Event::Delivered { .. }
            | Event::Merged { .. } => {}
            Event::Routed { flow, region, .. } => {
                self.flow = Some(flow.clone());
                self.region = Some(region.clone());
            }
            Event::Passed { stage, .. } => {
                self.passed = Some(*stage);
                self.attempts = 0;
            }
            Event::Failed { retry_at, .. } => {
                self.attempts = self.attempts.saturating_add(1);
                self.state = State::Due { at: *retry_at };
            }
            Event::Parked { code, reason, .. } => {
                self.state = State::Parked {
                    code: code.clone(),
                    reason: reason.clone(),
                };
            }
            Event::Held { role, reasons } => {
                self.state = State::Held {
                    role: role.clone(),
                    reason: sentence(reasons),
                };
            }
            Event::Waiting { entity, .. } => {
                self.state = State::Waiting {
                    entity: entity.clone(),
                }
            }
            Event::Ignored { reason } => {
                self.state = State::Ignored {
                    reason: reason.clone(),
                }
            }
            Event::Denied { reasons } => {
                self.state = State::Denied {
                    reason: sentence(reasons),
                }
            }
            Event::Done => self.state = State::Done,
            Event::Released { .. } => self.state = State::Due { at },
            Event::Resumed { from, .. } => {
                // Never further than it had come: what was not passed before is
                // not passed by beginning behind it.
                self.passed = self.passed.min(before(*from));
                self.attempts = 0;
                self.state = State::Due { at };
            }
            Event::Erased { extent, .. } => {
                self.erased = Some(*extent);
                if *extent == Extent::All {
                    self.state = blank::state(&self.state);
                    self.object
                        .truncate(self.object.find('/').map_or(0, |slash| slash + 1));
                    self.key.clear();
                }
            }
        }
        // its age is counted from its end, whatever was erased since
        if !matches!(event, Event::Erased { .. }) {
            self.updated_at = at;
        }
        Ok(())
    }

    /// Whether the event goes with the state.
    fn takes(&self, event: &Event) -> bool {
        match (&self.state, event) {
            (_, Event::Received { .. }) => false,
            // what has ended, and only what is left of it
            (state, Event::Erased { extent, .. }) => state.is_final() && self.erased < Some(*extent),
            // nothing could be made of what is no more there
            _ if self.erased.is_some() => false,
            (_, Event::Resumed { .. }) => true,
            (State::Held { role, .. }, Event::Released { role: by, .. }) => role == by,
            (_, Event::Released { .. }) => false,
            (State::Due { .. }, _) => true,
            (_, _) => false,
        }
    }
}

impl Event {
    /// Whether the message's claimer goes on working on it after this.
    pub(crate) fn keeps_claim(&self) -> bool {
        match self {
            Self::Routed { .. }
            | Self::Passed { .. }
            | Self::Called { .. }
            | Self::Delivered { .. }
            | Self::Merged { .. } => true,
            Self::Received { .. }
            | Self::Failed { .. }
            | Self::Parked { .. }
            | Self::Held { .. }
            | Self::Waiting { .. }
            | Self::Ignored { .. }
            | Self::Denied { .. }
            | Self::Done
            | Self::Released { .. }
            | Self::Resumed { .. }
            | Self::Erased { .. } => false,
        }
    }
}

/// The stage before this one; none before the first.
fn before(stage: Stage) -> Option<Stage> {
    Stage::ALL.into_iter().take_while(|each| *each < stage).last()
}

/// Several reasons as one sentence for a person.
fn sentence(reasons: &[Reason]) -> String {
    reasons
        .iter()
        .map(|reason| reason.text.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::message::MessageId;

    use super::*;

    fn status() -> Status {
        Status::received(
            1,
            &Message {
                id: MessageId::of("crm", "1"),
                system: "crm".into(),
                event: "deal.changed".into(),
                object_kind: "deal".into(),
                object_id: "7".into(),
                dedupe: "1".into(),
                key: "deal/7".into(),
                occurred_at: Timestamp::UNIX_EPOCH,
                received_at: Timestamp::UNIX_EPOCH,
                headers: Default::default(),
                body: "{}".into(),
            },
        )
    }

    fn passed(stage: Stage) -> Event {
        Event::Passed {
            stage,
            output: serde_json::Value::Null.into(),
            took_us: 1,
            fuel: None,
            links: vec![],
            log: vec![],
        }
    }

    fn resumed(from: Stage) -> Event {
        Event::Resumed {
            by: "someone".into(),
            from,
            live: false,
            why: None,
            order: None,
        }
    }

    #[test]
    fn resuming_counts_all_before_the_stage_and_nothing_that_was_not_passed() {
        let now = Timestamp::UNIX_EPOCH;
        let mut status = status();
        status.turn(now, &passed(Stage::Write)).unwrap();

        status.turn(now, &resumed(Stage::Judge)).unwrap();
        assert_eq!(status.passed, Some(Stage::Own));
        status.turn(now, &resumed(Stage::Deliver)).unwrap();
        assert_eq!(status.passed, Some(Stage::Own));
        status.turn(now, &resumed(Stage::Fetch)).unwrap();
        assert_eq!(status.passed, None);
    }

    #[test]
    fn another_role_does_not_release() {
        let now = Timestamp::UNIX_EPOCH;
        let release = |role: &str| Event::Released {
            role: role.into(),
            by: "someone".into(),
        };
        let mut status = status();
        let held = Event::Held {
            role: "finance".into(),
            reasons: vec![],
        };
        status.turn(now, &held).unwrap();

        assert!(status.turn(now, &release("sales")).is_err());
        assert_eq!(status.state.name(), "held");
        status.turn(now, &release("finance")).unwrap();
        assert_eq!(status.state.name(), "due");
    }

    #[test]
    fn a_finished_message_takes_nothing_but_a_resume() {
        let now = Timestamp::UNIX_EPOCH;
        let mut status = status();
        status.turn(now, &Event::Done).unwrap();

        assert!(status.turn(now, &passed(Stage::Read)).is_err());
        assert!(status.turn(now, &Event::Done).is_err());
        status.turn(now, &resumed(Stage::Fetch)).unwrap();
        assert_eq!(status.state, State::Due { at: now });
    }
}
