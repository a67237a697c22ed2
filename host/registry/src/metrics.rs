//! What the registry counts, by the plugin's name: that of a file in the folder.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Components that became live.
const SWITCHES: &str = "cambist_plugin_switches_total";
/// Components that were refused.
const REFUSED: &str = "cambist_plugin_refused_total";
/// Components whose share went back to the live one by itself.
const WITHDRAWN: &str = "cambist_plugin_withdrawn_total";
/// Whether a plugin serves older revisions whole.
const HELD: &str = "cambist_plugin_held";

/// Tells the recorder what each metric means. Once, after it is installed.
pub fn describe() {
    describe_counter!(SWITCHES, Unit::Count, "Components that became live, by plugin");
    describe_counter!(
        REFUSED,
        Unit::Count,
        "Components that were refused while the last good one stayed, by plugin"
    );
    describe_counter!(
        WITHDRAWN,
        Unit::Count,
        "Components whose share went back to the live one by itself, by plugin"
    );
    describe_gauge!(
        HELD,
        Unit::Count,
        "1 while a plugin serves older revisions whole and not what the config says, by plugin"
    );
}

pub(crate) fn switched(plugin: &str) {
    counter!(SWITCHES, "plugin" => plugin.to_owned()).increment(1);
}

pub(crate) fn refused(plugin: &str) {
    counter!(REFUSED, "plugin" => plugin.to_owned()).increment(1);
}

pub(crate) fn withdrawn(plugin: &str) {
    counter!(WITHDRAWN, "plugin" => plugin.to_owned()).increment(1);
}

pub(crate) fn held(plugin: &str, is_held: bool) {
    gauge!(HELD, "plugin" => plugin.to_owned()).set(f64::from(u8::from(is_held)));
}
