//! What is left of a message and its events when they are erased.
//!
//! All of it is still a message and events, so that whoever reads a journal reads erased
//! ones as the others, and where a message stands can still be worked out of it.

use cambist_contract::{Json, canonical::EntityRef, delivery::Receipt, fault::Reason, message::Message};
use serde_json::Value;

use crate::{Event, State, erasure::Extent};

/// What stands in the place of a sentence.
pub(crate) const ERASED: &str = "erased";

/// A message without what is erased.
pub(crate) fn message(message: &Message, extent: Extent) -> Message {
    let mut left = Message {
        headers: Default::default(),
        body: String::new(),
        ..message.clone()
    };
    if extent == Extent::All {
        for named in [&mut left.object_id, &mut left.dedupe, &mut left.key] {
            named.clear();
        }
    }
    left
}

/// An event without what is erased.
pub(crate) fn event(event: &Event, extent: Extent) -> Event {
    let all = extent == Extent::All;
    let sentence = |text: &String| if all { ERASED.to_owned() } else { text.clone() };
    let reasons = |reasons: &[Reason]| match all {
        true => reasons.iter().map(reason).collect(),
        false => reasons.to_vec(),
    };
    match event {
        Event::Passed {
            stage,
            took_us,
            fuel,
            log,
            ..
        } => Event::Passed {
            stage: *stage,
            output: Json::from(&Value::Null),
            took_us: *took_us,
            fuel: *fuel,
            // who gave it another input, and why, is a decision
            log: match event.edit() {
                Some(_) if !all => log.clone(),
                _ => Vec::new(),
            },
            links: Vec::new(),
        },
        Event::Called {
            stage, took_us, fuel, ..
        } => Event::Called {
            stage: *stage,
            took_us: *took_us,
            fuel: *fuel,
            log: Vec::new(),
            links: Vec::new(),
        },
        Event::Delivered { target, receipts } if all => Event::Delivered {
            target: target.clone(),
            receipts: receipts.iter().map(receipt).collect(),
        },
        Event::Failed {
            stage,
            attempt,
            error,
            retry_at,
        } => Event::Failed {
            stage: *stage,
            attempt: *attempt,
            error: sentence(error),
            retry_at: *retry_at,
        },
        Event::Parked { stage, code, reason } => Event::Parked {
            stage: *stage,
            code: code.clone(),
            reason: sentence(reason),
        },
        Event::Held { role, reasons: why } => Event::Held {
            role: role.clone(),
            reasons: reasons(why),
        },
        Event::Denied { reasons: why } => Event::Denied {
            reasons: reasons(why),
        },
        Event::Ignored { reason } => Event::Ignored {
            reason: sentence(reason),
        },
        Event::Waiting { stage, entity } if all => Event::Waiting {
            stage: *stage,
            entity: nameless(entity),
        },
        Event::Merged { entity, into } if all => Event::Merged {
            entity: nameless(entity),
            into: nameless(into),
        },
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::Delivered { .. }
        | Event::Merged { .. }
        | Event::Waiting { .. }
        | Event::Done
        | Event::Released { .. }
        | Event::Resumed { .. }
        | Event::Erased { .. } => event.clone(),
    }
}

/// The state of a message that has ended, without what is erased of all of it.
pub(crate) fn state(state: &State) -> State {
    let reason = || ERASED.to_owned();
    match state {
        State::Ignored { .. } => State::Ignored { reason: reason() },
        State::Denied { .. } => State::Denied { reason: reason() },
        other => other.clone(),
    }
}

fn nameless(entity: &EntityRef) -> EntityRef {
    EntityRef {
        id: String::new(),
        ..entity.clone()
    }
}

/// The rule stays, what it says of somebody goes.
fn reason(reason: &Reason) -> Reason {
    Reason {
        text: ERASED.to_owned(),
        ..reason.clone()
    }
}

fn receipt(receipt: &Receipt) -> Receipt {
    Receipt {
        model: receipt.model.clone(),
        external_id: String::new(),
        effect: receipt.effect,
        target_id: None,
        written: None,
        stands_for: None,
        fields: Default::default(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cambist_contract::stage::Stage;

    use super::*;

    const PERSON: &str = "Anna Kowalska";

    fn events() -> Vec<Event> {
        let because = || {
            vec![Reason {
                code: "above-limit".into(),
                text: PERSON.into(),
                basis: None,
            }]
        };
        let named = EntityRef {
            kind: cambist_contract::canonical::EntityKind::Contact,
            system: "crm".into(),
            id: PERSON.into(),
        };
        let passed = |stage| Event::Passed {
            stage,
            output: serde_json::json!([PERSON]).into(),
            took_us: 1,
            fuel: Some(2),
            log: vec![],
            links: vec![crate::LinkAnswer {
                entity: named.clone(),
                system: "odoo".into(),
                link: None,
                id: None,
            }],
        };
        vec![
            passed(Stage::Fetch),
            Event::edited("ada", PERSON, serde_json::json!({"name": PERSON}).into()),
            Event::Delivered {
                target: "odoo".into(),
                receipts: vec![Receipt {
                    model: "res.partner".into(),
                    external_id: PERSON.into(),
                    effect: cambist_contract::delivery::Effect::Written,
                    target_id: Some(PERSON.into()),
                    written: None,
                    stands_for: Some(named.clone()),
                    fields: Default::default(),
                }],
            },
            Event::Failed {
                stage: Stage::Deliver,
                attempt: 1,
                error: PERSON.into(),
                retry_at: jiff::Timestamp::UNIX_EPOCH,
            },
            Event::Parked {
                stage: Stage::Write,
                code: "refused".into(),
                reason: PERSON.into(),
            },
            Event::Held {
                role: "finance".into(),
                reasons: because(),
            },
            Event::Waiting {
                stage: Stage::Write,
                entity: named.clone(),
            },
            Event::Merged {
                entity: named.clone(),
                into: named,
            },
            Event::Ignored {
                reason: PERSON.into(),
            },
            Event::Denied { reasons: because() },
        ]
    }

    #[test]
    fn nothing_about_a_person_is_left_when_all_goes_and_events_are_events_still() {
        for before in events() {
            let left = serde_json::to_string(&event(&before, Extent::All)).unwrap();
            assert!(!left.contains(PERSON), "{left}");
            assert_eq!(Event::from_text(&left).unwrap().name(), before.name());
        }
    }

    #[test]
    fn decisions_and_receipts_are_left_when_payloads_go() {
        for before in events() {
            let left = event(&before, Extent::Payloads);
            match before {
                Event::Passed { .. } => {
                    let text = serde_json::to_string(&left).unwrap();
                    assert_eq!(text.contains(PERSON), before.edit().is_some(), "{text}");
                    assert_eq!(left.edit(), before.edit());
                }
                before => assert_eq!(left, before),
            }
        }
    }

    #[test]
    fn what_is_left_is_left_again() {
        for before in events() {
            for extent in [Extent::Payloads, Extent::All] {
                let left = event(&before, extent);
                assert_eq!(event(&left, extent), left);
            }
        }
    }
}
