//! What keeps a plugin from serving a binding, and where in the file that stands.

use cambist_registry::{Obstacle, Part};

use super::{Config, Places, Problem};

/// An obstacle with the place of the setting it is about.
pub(crate) fn of_binding(config: &Config, places: &Places, obstacle: Obstacle) -> Option<Problem> {
    let part = match obstacle.part {
        // what is wrong with a key is told at the key
        Part::Trust if places.is_torn(&["trust"]) => return None,
        Part::Plugin | Part::Trust => "plugin",
        Part::Component => "component",
        Part::Stage => "stage",
        // the config's own check tells of tables
        Part::Tables => return None,
        Part::Grants => "grants",
        Part::Limits => "limits",
        Part::Settings => "settings",
        Part::Isolation => "isolation",
    };
    let binding = obstacle.binding.to_string();
    let setting = ["bindings", &binding, part];
    if places.is_torn(&setting) {
        return None;
    }
    let plugin = &config.bindings.get(obstacle.binding)?.plugin;
    let is_there = config.host.plugins.join(format!("{plugin}.wasm")).is_file();
    let way_out = match obstacle.part {
        Part::Plugin if !is_there => "; `cambist plugin build` puts one there, or name another",
        Part::Stage => "; bind it to a stage that it serves, or name another",
        // the reason says it
        _ => "",
    };
    let text = format!("plugin `{plugin}`: {}{way_out}", obstacle.reason);
    Some(Problem {
        is_warning: obstacle.is_warning,
        ..places.problem(&setting, text)
    })
}
