//! A plugin's life: the steps by which one of its components comes to serve, and
//! goes. Each is a durable fact; where a component stands is worked out from them.
//!
//! # What is not here
//!
//! Which step may follow which, and what is checked before: the registry's business.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{digest::Digest, share::Share};

/// One step in a plugin's life.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Act {
    /// The plugin.
    pub plugin: String,
    /// The component that the step is about.
    pub component: Digest,
    /// Who did it: a person's name as the caller gave it, `folder`, `config` or `host`.
    pub by: String,
    /// What was done.
    pub step: Step,
}

/// What was done with a component.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Step {
    /// It came in, and is about to be checked.
    Registered {
        /// How it came.
        from: Origin,
    },
    /// It did not pass.
    Refused {
        /// Why, as a person reads it, with the way out.
        reason: String,
    },
    /// It passed all checks for all bindings of its plugin, and waits.
    Passed {
        /// Its version, as it says itself.
        version: Option<String>,
    },
    /// It serves these bindings from now on, all of them at one moment.
    Live {
        /// The revision that serves each binding, by the binding's name.
        revisions: BTreeMap<String, Digest>,
        /// Whether these are other revisions than the config makes of the component, because
        /// somebody went back to them whole. Left out of the JSON where they are not, so that
        /// a step from before there was a choice keeps its text.
        #[serde(default, skip_serializing_if = "is_by_config")]
        held: bool,
    },
    /// It is called beside the live one from now on, with what that one is called with;
    /// what it answers is compared, and goes nowhere. It takes the place of what stood
    /// beside before.
    Shadow {
        /// The revision beside each binding's live one, by the binding's name.
        revisions: BTreeMap<String, Digest>,
    },
    /// It serves a share of the keys from now on, the live one the rest. It takes the
    /// place of what stood beside before.
    Share {
        /// What it serves, and for how long it may go wrong.
        share: Share,
        /// The revision that serves each binding's share, by the binding's name.
        revisions: BTreeMap<String, Digest>,
    },
    /// It stands beside the live one no more, or was kept from going live when it had passed.
    /// Messages that are pinned to it finish on it.
    Withdrawn {
        /// Why.
        reason: String,
    },
    /// It was taken out: nothing is called any more that has this component.
    Killed {
        /// Why, as who did it says.
        reason: String,
    },
    /// The last message that was pinned to it has ended.
    Retired,
}

/// How a component came to the host.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// As a file in the plugin folder.
    Folder,
    /// By the operators' API.
    Push,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_by_config(held: &bool) -> bool {
    !held
}

impl Step {
    /// The step's name, as it stands in its JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "registered",
            Self::Refused { .. } => "refused",
            Self::Passed { .. } => "passed",
            Self::Live { .. } => "live",
            Self::Shadow { .. } => "shadow",
            Self::Share { .. } => "share",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Killed { .. } => "killed",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "folder",
            Self::Push => "push",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_steps_name_is_the_one_in_its_json() {
        let steps = [
            Step::Registered { from: Origin::Push },
            Step::Refused {
                reason: String::new(),
            },
            Step::Passed { version: None },
            Step::Live {
                revisions: BTreeMap::new(),
                held: false,
            },
            Step::Live {
                revisions: BTreeMap::new(),
                held: true,
            },
            Step::Shadow {
                revisions: BTreeMap::new(),
            },
            Step::Share {
                share: Share::of(10),
                revisions: BTreeMap::new(),
            },
            Step::Withdrawn {
                reason: String::new(),
            },
            Step::Killed {
                reason: String::new(),
            },
            Step::Retired,
        ];
        for step in steps {
            let json = serde_json::to_value(&step).unwrap();
            assert_eq!(json.get("what"), Some(&step.name().into()));
            assert_eq!(serde_json::from_value::<Step>(json).unwrap(), step);
        }
    }

    #[test]
    fn a_live_step_from_before_there_were_holds_keeps_its_text() {
        let text = r#"{"what":"live","revisions":{}}"#;
        let step: Step = serde_json::from_str(text).unwrap();
        let revisions = BTreeMap::new();
        assert_eq!(
            step,
            Step::Live {
                revisions,
                held: false
            }
        );
        assert_eq!(serde_json::to_string(&step).unwrap(), text);
    }
}
