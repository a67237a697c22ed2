//! A policy that does what its settings say, mostly harm. For the sandbox's tests.
//!
//! Where its settings say nothing, it does what stands in its own data: a test that cannot have
//! settings for it alone writes another word of the same length there.

use std::hint::black_box;

use cambist_sdk::prelude::*;

/// What to do: `{"do": "loop"}`.
#[derive(serde::Deserialize)]
struct Settings {
    r#do: Option<String>,
}

/// What to do without such a setting, filled up with dots.
const BUILT: &str = "do:nothing......";

struct Unruly;

impl Policy for Unruly {
    fn judge(context: &Context, proposal: Proposal) -> Result<Verdict> {
        let what = context.settings::<Settings>()?.r#do.unwrap_or_else(|| {
            let built = black_box(BUILT).trim_end_matches('.');
            built.trim_start_matches("do:").to_owned()
        });
        match what.as_str() {
            "loop" => spin(),
            "recurse" => nest(u64::MAX),
            "allocate" => hoard(1 << 20),
            "fill" => fill(),
            "panic" => panic_with_a_reason(&proposal),
            "log-and-panic" => {
                log::write(log::Level::Warn, "this will not end well");
                panic_with_a_reason(&proposal);
            }
            "long-panic" => long_panic(),
            "log-lines" => (0..1_000_000).for_each(|_| log::write(log::Level::Info, "again")),
            "log-bytes" => log::write(log::Level::Info, &"x".repeat(1 << 20)),
            "host-calls" => (0..1_000_000).for_each(|at| drop(reference::find("rates", &at.to_string()))),
            "huge-answer" => return Ok(verdict(Decision::Allow, "huge", &"x".repeat(4 << 20))),
            "many-reasons" => {
                let reasons = (0..100_000).map(|_| reason("again", "")).collect();
                return Ok(Verdict {
                    decision: Decision::Allow,
                    reasons,
                });
            }
            "bad-scale" => {
                return amend(proposal, |deal| {
                    deal.amount = Some(Decimal { units: 1, scale: 30 })
                });
            }
            "many-digits" => {
                return amend(proposal, |deal| {
                    deal.amount = Some(Decimal {
                        units: -(1 << 53),
                        scale: 2,
                    })
                });
            }
            "clear-unknown" => return clear(proposal, "close_date"),
            "clear-said" => return clear(proposal, "name"),
            "bad-date" => return amend(proposal, |deal| deal.close_date = Some("tomorrow".into())),
            "bad-currency" => return amend(proposal, |deal| deal.currency = Some("EURO".into())),
            "bad-json" => {
                return amend(proposal, |deal| {
                    deal.extra.push(Extension {
                        name: "x".into(),
                        value: "{".into(),
                    });
                });
            }
            "deep-json" => return nested(proposal),
            "log" => log::write(log::Level::Warn, "hello"),
            "reference" => {
                return Ok(answer(
                    reference::find("rates", "DE").map_err(|it| format!("{it:?}")),
                ));
            }
            "reference-other" => {
                return Ok(answer(
                    reference::find("secret", "DE").map_err(|it| format!("{it:?}")),
                ));
            }
            "links-flood" => (0..1_000).for_each(|_| {
                let account = EntityRef::new(EntityKind::Account, "crm", "1".repeat(1 << 20));
                drop(links::find(&account, "odoo"));
            }),
            "links-twice" => {
                let account = EntityRef::new(EntityKind::Account, "crm", "1");
                drop(links::find(&account, "odoo"));
                drop(links::find(&account, "odoo"));
            }
            "links" => {
                let account = EntityRef::new(EntityKind::Account, "crm", "1");
                return Ok(answer(
                    links::find(&account, "odoo").map_err(|it| format!("{it:?}")),
                ));
            }
            "count-unhandled" => {
                count();
                return Err(unhandled("not mine"));
            }
            "panic-when-used" if count() > 1 => panic_with_a_reason(&proposal),
            "log-count" => {
                let count = count().to_string();
                (0..3).for_each(|_| log::write(log::Level::Info, &count));
            }
            "grow" => {
                count();
                std::mem::forget(black_box(vec![1_u8; 40 << 20]));
            }
            "count" => return Ok(verdict(Decision::Allow, "count", &count().to_string())),
            _ => {}
        }
        Ok(verdict(Decision::Allow, "done", &what))
    }
}

fn spin() {
    let mut at = 0_u64;
    while black_box(true) {
        at = black_box(at.wrapping_add(1));
    }
}

fn nest(depth: u64) {
    let block = black_box([depth; 64]);
    if block[63] > 0 {
        nest(depth - 1);
    }
    black_box(block);
}

fn hoard(size: usize) {
    let mut all = Vec::new();
    loop {
        all.push(black_box(vec![1_u8; size]));
    }
}

/// Writes much with few instructions.
fn fill() {
    let mut block = vec![0_u8; 32 << 20];
    for value in 0..u8::MAX {
        black_box(&mut block).fill(value);
    }
}

#[expect(clippy::panic, reason = "it is what this guest is for")]
fn panic_with_a_reason(proposal: &Proposal) {
    panic!("order has no partner, {} changes", proposal.changes.len());
}

#[expect(clippy::panic, reason = "it is what this guest is for")]
fn long_panic() {
    panic!("{}", "ä".repeat(100_000));
}

fn amend(proposal: Proposal, change: impl Fn(&mut Opportunity)) -> Result<Verdict> {
    let mut changes = proposal.changes;
    for it in &mut changes {
        if let Entity::Opportunity(deal) = &mut it.entity {
            change(deal);
        }
    }
    Ok(verdict(Decision::Amend(changes), "amended", ""))
}

/// Hands out JSON of more levels than the host takes.
fn nested(mut proposal: Proposal) -> Result<Verdict> {
    for it in &mut proposal.changes {
        let extra = match &mut it.entity {
            Entity::Opportunity(deal) => &mut deal.extra,
            Entity::Contract(contract) => &mut contract.extra,
            _ => continue,
        };
        extra.push(Extension {
            name: "x".into(),
            value: format!("{}{}", "[".repeat(65), "]".repeat(65)),
        });
    }
    Ok(verdict(Decision::Amend(proposal.changes), "amended", ""))
}

fn clear(mut proposal: Proposal, field: &str) -> Result<Verdict> {
    for it in &mut proposal.changes {
        it.cleared.push(field.to_owned());
    }
    Ok(verdict(Decision::Amend(proposal.changes), "cleared", ""))
}

fn answer(answer: std::result::Result<Option<impl std::fmt::Debug>, String>) -> Verdict {
    verdict(Decision::Allow, "answer", &format!("{answer:?}"))
}

/// How often this instance was called: once, if each call has a fresh one.
fn count() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}

cambist_sdk::export!(Unruly: policy);
