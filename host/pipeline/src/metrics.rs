//! What the pipeline counts. No label holds anything a sender can choose freely.

use std::time::Duration;

use cambist_contract::{canonical::EntityKind, delivery::Effect, plugin::Cost, stage::Stage};
use cambist_journal::Event;
use metrics::{counter, describe_counter, describe_histogram, histogram};

/// Describes the metrics, once, at start.
pub fn describe() {
    describe_histogram!("cambist_stage_seconds", "Time a stage took, by stage and flow");
    describe_counter!(
        "cambist_outcomes_total",
        "What became of messages: done, parked, held, …, by stage"
    );
    describe_counter!("cambist_parked_total", "Messages parked, by stage and code");
    describe_counter!(
        "cambist_retries_total",
        "Attempts that failed and will be repeated, by stage"
    );
    describe_counter!(
        "cambist_poll_failures_total",
        "Rounds in which a system could not be asked what has changed, by system"
    );
    describe_counter!(
        "cambist_left_out_total",
        "Fields that a system has changed and does not own, by system and field"
    );
    describe_counter!("cambist_deliveries_total", "Commands by target and effect");
    describe_histogram!("cambist_plugin_seconds", "Time of a plugin call, by plugin");
    describe_histogram!("cambist_plugin_fuel", "Instructions of a plugin call, by plugin");
    describe_counter!(
        "cambist_plugin_failures_total",
        "Plugin calls without an answer, by plugin"
    );
    describe_counter!(
        "cambist_shadow_calls_total",
        "Calls of shadows beside the live revision: answered, failed or skipped, by plugin"
    );
}

/// A system could not be asked what has changed.
pub(crate) fn poll_failed(system: &str) {
    counter!("cambist_poll_failures_total", "system" => system.to_owned()).increment(1);
}

/// A system has changed a field that it does not own.
pub(crate) fn left_out(system: &str, kind: EntityKind, field: &str) {
    let field = format!("{}.{field}", kind.name());
    counter!("cambist_left_out_total", "system" => system.to_owned(), "field" => field).increment(1);
}

pub(crate) fn stage(stage: Stage, flow: &str, took: Duration) {
    histogram!("cambist_stage_seconds", "stage" => stage.name(), "flow" => flow.to_owned()).record(took);
}

pub(crate) fn event(stage: Stage, event: &Event) {
    match event {
        Event::Passed { .. } | Event::Called { .. } => {}
        Event::Failed { .. } => counter!("cambist_retries_total", "stage" => stage.name()).increment(1),
        Event::Parked { code, .. } => {
            counter!("cambist_parked_total", "stage" => stage.name(), "code" => code.clone()).increment(1);
            counter!("cambist_outcomes_total", "outcome" => "parked", "stage" => stage.name()).increment(1);
        }
        other => {
            counter!("cambist_outcomes_total", "outcome" => other.name(), "stage" => stage.name())
                .increment(1);
        }
    }
}

pub(crate) fn delivered(target: &str, effect: Effect) {
    let effect = match effect {
        Effect::Written => "written",
        Effect::Unchanged => "unchanged",
        Effect::Done => "done",
        Effect::AlreadyDone => "already-done",
        Effect::Shown => "shown",
    };
    counter!("cambist_deliveries_total", "target" => target.to_owned(), "effect" => effect).increment(1);
}

pub(crate) fn plugin_call(plugin: &str, cost: &Cost, answered: bool) {
    histogram!("cambist_plugin_seconds", "plugin" => plugin.to_owned()).record(cost.elapsed);
    #[expect(clippy::cast_precision_loss, reason = "a metric, and fuel is far below 2^53")]
    histogram!("cambist_plugin_fuel", "plugin" => plugin.to_owned()).record(cost.fuel as f64);
    if !answered {
        counter!("cambist_plugin_failures_total", "plugin" => plugin.to_owned()).increment(1);
    }
}

pub(crate) fn shadow_called(plugin: &str, answered: bool) {
    shadow(plugin, if answered { "answered" } else { "failed" });
}

pub(crate) fn shadow_skipped(plugin: &str) {
    shadow(plugin, "skipped");
}

fn shadow(plugin: &str, outcome: &'static str) {
    counter!("cambist_shadow_calls_total", "plugin" => plugin.to_owned(), "outcome" => outcome).increment(1);
}
