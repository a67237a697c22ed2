//! What is told of a component that passed and does not serve all: who has decided so, and the
//! commands that decide otherwise.
//!
//! It is worked out of the plugin's life whenever somebody asks, and kept nowhere: what a look
//! at a file came to would be out of date with the next step.

use cambist_contract::digest::Digest;

use crate::{
    life::{Component, Life, Mode},
    standing::Standing,
};

/// Why the component in the folder serves nobody though nothing is wrong with it: it was live and
/// another is, or it was taken out. None where it serves, waits, or did not pass.
pub(crate) fn why(plugin: &str, life: &Life, component: &Digest) -> Option<String> {
    let known = life.components.get(component)?;
    let short = component.short();
    let again = format!(
        "the same file does not undo that: `cambist plugin live {plugin} {short}` makes it live, or drop a new build"
    );
    match &known.standing {
        Standing::Killed { reason } => Some(taken_out(plugin, component, reason)),
        Standing::Draining | Standing::Retired => Some(format!("{}; {again}", left(life, component, known))),
        Standing::Checking
        | Standing::Refused { .. }
        | Standing::Candidate
        | Standing::Shadow
        | Standing::Sharing { .. }
        | Standing::Live => None,
    }
}

/// What is said of a component that was taken out and comes again.
pub(crate) fn taken_out(plugin: &str, component: &Digest, reason: &str) -> String {
    format!(
        "it was taken out: {reason}; `cambist plugin live {plugin} {}` puts it back",
        component.short()
    )
}

/// How it came that a component serves no more.
fn left(life: &Life, component: &Digest, known: &Component) -> String {
    let short = component.short();
    if let Some(why) = &known.withdrawn {
        return format!("component {short} served a share of the keys and was withdrawn: {why}");
    }
    if !life.was_live(component) {
        return format!("component {short} served a share of the keys, and another took its place");
    }
    let live = life.live_component();
    match live.and_then(|live| Some((live, life.components.get(&live)?))) {
        Some((live, its)) => format!(
            "component {short} was live, and {} made {} live in its place at {}",
            its.by,
            live.short(),
            its.since.strftime("%Y-%m-%d %H:%M:%S UTC"),
        ),
        None => format!("component {short} was live, and is no more"),
    }
}

/// What a person may do with what stands beside the live component and what waits, with the
/// commands.
pub(crate) fn next(plugin: &str, life: &Life) -> Vec<String> {
    let beside = life.beside.as_ref().map(|beside| {
        let short = beside.component.short();
        match beside.mode {
            Mode::Shadow => format!(
                "component {short} is called beside the live one and answers nobody; `cambist plugin diff {plugin}` \
                 tells how the two compare, `cambist plugin live {plugin} {short}` makes it live"
            ),
            Mode::Share(share) => format!(
                "component {short} serves {} % of the keys; `cambist plugin live {plugin} {short}` lets it serve all, \
                 `cambist plugin withdraw {plugin} --reason WHY` none",
                share.percent
            ),
        }
    });
    let waits = life.candidate().map(|component| {
        let place = match &life.beside {
            Some(beside) => format!(" in the place of {}", beside.component.short()),
            None => String::new(),
        };
        format!(
            "{}, `cambist plugin shadow {plugin} {}` compares it first{place}",
            waiting(plugin, life, &component),
            component.short()
        )
    });
    beside.into_iter().chain(waits).collect()
}

/// What is said of a component that waits.
pub(crate) fn waiting(plugin: &str, life: &Life, component: &Digest) -> String {
    let short = component.short();
    let withdrawn = life
        .components
        .get(component)
        .and_then(|known| known.withdrawn.as_ref());
    let why = withdrawn.map_or(String::new(), |why| format!(" (withdrawn: {why})"));
    format!("component {short} passed and waits{why}; `cambist plugin live {plugin} {short}` makes it live")
}
