//! What the demo says on screen.

use std::collections::BTreeMap;

use cambist_connect::dry_run::render;
use cambist_contract::{Json, fault::Reason, mapping::Plan, stage::Stage, tax::Assessment};
use cambist_journal::{Event, journal::Claim};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use super::{
    stage_set::StageSet,
    story::{Send, Step},
};

/// Columns of the screen that the table is fitted to.
const WIDTH: u16 = 118;

pub(super) fn opening(odoo: bool) {
    say!("Cambist: won HubSpot deals become customers, orders and projects.\n");
    say!(
        "  the CRM     a double of HubSpot (tests/doubles): it does what HubSpot documents, and is not HubSpot"
    );
    say!("  the plugins map-hubspot, policy-deal-desk, tax-eu-vat, tax-in-gst, map-odoo, each in a sandbox");
    match odoo {
        true => say!("  the books   a real Odoo 19 on this machine (tests/odoo)"),
        false => say!(
            "  the books   a dry run, which shows the commands; `-- demo --odoo` delivers into a real Odoo 19"
        ),
    }
    say!();
}

pub(super) fn step(text: &str) {
    say!("· {text}");
}

pub(super) fn sent(step: &Step, status: u16) {
    let how = match step.send {
        Send::Once => "",
        Send::Again => ", the same event once more",
        Send::Forged => ", signed by somebody else",
    };
    say!(
        "→ webhook for deal {}{how}: {status} {}   ({})",
        step.deal,
        step.answer,
        step.title
    );
}

/// A message that has ended or waits, in full.
pub(super) fn ended(step: &Step, claim: &Claim) {
    say!("\n■ deal {}: {}", step.deal, step.title);
    say!("  message  {}  {}", claim.message.id, outcome(claim));
    for entry in &claim.entries {
        match &entry.event {
            Event::Routed { region, target, .. } => say!("  way      region {region}, to {target}"),
            Event::Passed {
                stage: Stage::Judge,
                output,
                ..
            } => {
                for reason in reasons(output.value().get("reasons")) {
                    say!("  policy   allowed: {}", said(&reason));
                }
            }
            Event::Passed {
                stage: Stage::Tax,
                output,
                ..
            } => tax(output),
            Event::Passed {
                stage: Stage::Write,
                output,
                ..
            } => plan(output),
            Event::Held { role, reasons } => {
                for reason in reasons {
                    say!("  policy   holds for {role}: {}", said(reason));
                }
            }
            Event::Delivered { target, receipts } => {
                // a dry run has no ids to tell
                let mut ids: Vec<String> = Vec::new();
                for receipt in receipts {
                    let id = receipt
                        .target_id
                        .as_ref()
                        .map(|id| format!("{} {id}", receipt.model));
                    ids.extend(id.filter(|id| !ids.contains(id)));
                }
                if !ids.is_empty() {
                    say!("  receipt  {target}: {}", ids.join(", "));
                }
            }
            _ => {}
        }
    }
    say!("  stages   {}", stages(claim));
}

fn tax(output: &Json) {
    let assessments: Vec<Assessment> = serde_json::from_str(output.as_str()).unwrap_or_default();
    for it in assessments {
        say!(
            "  tax      {} {} + {} = {} {}",
            rates(&it),
            it.net,
            it.tax,
            it.gross,
            it.currency
        );
        if let Some(line) = it.lines.first() {
            say!("           {}", said(&line.reason));
        }
        for note in &it.notes {
            say!("           to be printed: {note}");
        }
    }
}

fn rates(assessment: &Assessment) -> String {
    let rates = assessment.totals.iter().map(|total| {
        let treatment = serde_json::to_value(total.rate.treatment).unwrap_or_default();
        let treatment = treatment.as_str().unwrap_or_default();
        match total.rate.percent {
            Some(percent) => format!("{} {treatment} {percent} %", total.rate.code),
            None => format!("{} {treatment}", total.rate.code),
        }
    });
    rates.collect::<Vec<_>>().join(" + ")
}

fn plan(output: &Json) {
    let plan: Plan = serde_json::from_str(output.as_str()).unwrap_or_default();
    for (at, command) in plan.commands.iter().enumerate() {
        let label = if at == 0 { "plan" } else { "" };
        for (line, text) in render(command).lines().enumerate() {
            let label = if line == 0 { label } else { "" };
            say!("  {label:<8} {text}");
        }
    }
}

fn reasons(value: Option<&Value>) -> Vec<Reason> {
    value
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_default()
}

/// The names of reasons.
fn codes(reasons: &[Reason]) -> String {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    codes.join(", ")
}

fn said(reason: &Reason) -> String {
    match &reason.basis {
        Some(basis) => format!("{} ({basis})", reason.text),
        None => reason.text.clone(),
    }
}

fn outcome(claim: &Claim) -> String {
    let why = claim.status.why();
    match why.as_str() {
        "" => claim.status.state.name().to_owned(),
        why => format!("{}: {why}", claim.status.state.name()),
    }
}

fn stages(claim: &Claim) -> String {
    let times = claim.entries.iter().filter_map(|entry| match &entry.event {
        Event::Passed { stage, took_us, .. } | Event::Called { stage, took_us, .. } => {
            Some(format!("{stage} {} ms", ms(*took_us)))
        }
        _ => None,
    });
    times.collect::<Vec<_>>().join(", ")
}

/// Microseconds as milliseconds.
fn ms(us: u64) -> String {
    format!("{}.{}", us / 1000, us % 1000 / 100)
}

/// What became of each, short.
pub(super) fn table(steps: &[Step], outcomes: &[(Step, Claim)]) {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    table.set_header(["deal", "what", "region", "policy", "ended", "tax", "plan"]);
    for (step, claim) in outcomes {
        let (mut policy, mut tax, mut commands) = (String::new(), String::new(), String::new());
        for entry in &claim.entries {
            match &entry.event {
                Event::Passed { stage, output, .. } => match stage {
                    Stage::Judge => {
                        let reasons = reasons(output.value().get("reasons"));
                        policy = format!("allowed: {}", codes(&reasons));
                    }
                    Stage::Tax => {
                        let all: Vec<Assessment> = serde_json::from_str(output.as_str()).unwrap_or_default();
                        let texts = all
                            .iter()
                            .map(|it| format!("{} {}: {}", it.tax, it.currency, rates(it)));
                        tax = texts.collect::<Vec<_>>().join("; ");
                    }
                    Stage::Write => {
                        let plan: Plan = serde_json::from_str(output.as_str()).unwrap_or_default();
                        commands = format!("{} commands", plan.commands.len());
                    }
                    _ => {}
                },
                Event::Held { role, reasons } => policy = format!("holds for {role}: {}", codes(reasons)),
                _ => {}
            }
        }
        table.add_row([
            step.deal.clone(),
            step.title.clone(),
            claim.status.region.clone().unwrap_or_default(),
            policy,
            outcome(claim),
            tax,
            commands,
        ]);
    }
    for step in steps.iter().filter(|step| step.send != Send::Once) {
        let ended = match step.send {
            Send::Forged => "refused: its signature is not HubSpot's",
            _ => "duplicate: nothing happens twice",
        };
        table.add_row([step.deal.as_str(), &step.title, "", "", ended]);
    }
    say!("\n{table}");
}

/// How long each stage took, in milliseconds. Where a stage was called more often, the
/// last time.
pub(super) fn times(outcomes: &[(Step, Claim)]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // no flow of the demo drafts invoices
    let stages = Stage::ALL.into_iter().filter(|stage| *stage != Stage::Draft);
    let head = ["deal", "milliseconds"].map(str::to_owned).into_iter();
    table.set_header(head.chain(stages.clone().map(|stage| stage.name().to_owned())));
    for (step, claim) in outcomes {
        let mut took: BTreeMap<Stage, u64> = BTreeMap::new();
        for entry in &claim.entries {
            if let Event::Passed { stage, took_us, .. } | Event::Called { stage, took_us, .. } = &entry.event
            {
                took.insert(*stage, *took_us);
            }
        }
        let all = took.values().sum();
        let each = stages
            .clone()
            .map(|stage| took.get(&stage).copied().map(ms).unwrap_or_default());
        table.add_row([step.deal.clone(), ms(all)].into_iter().chain(each));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    say!("\n{table}");
}

pub(super) fn closing(set: &StageSet, as_told: bool, stays: bool) {
    let (config, token) = (set.config_path(), set.token_path());
    let shown = config.strip_prefix(&set.root).unwrap_or(&config).display();
    let token = token.strip_prefix(&set.root).unwrap_or(&token).display();
    match as_told {
        true => say!("\nEverything ended as the story says (examples/demo/story.json)."),
        false => say!(
            "\nSomething ended otherwise than the story says (examples/demo/story.json); the log is {}",
            set.folder.join("host.log").display()
        ),
    }
    say!("Look closer:  cargo run --release -- messages --config {shown}");
    say!("              cargo run --release -- show --config {shown} MESSAGE");
    if !stays {
        say!("Decide:       with --stay the host goes on, and takes `release` and `replay`");
        return;
    }
    say!("Decide:       cargo run --release -- release --config {shown} --role finance MESSAGE");
    say!("              cargo run --release -- replay --config {shown} MESSAGE");
    say!("              (the operators' token is in {token}, which is yours alone to read)");
}
