//! What no case of a plugin tries, and so goes live unproven. A warning: a plugin without cases may
//! be right, and its first message finds out.

use cambist_contract::plugin::Case;

use crate::{binding::Binding, check};

/// What is said of a plugin that carries no cases at all; none of one that does.
pub fn whole(cases: &[Case]) -> Option<String> {
    cases.is_empty().then(|| {
        "it carries no cases, so nothing that it answers was tried, and no settings of its bindings; give it \
         cases, or have `cambist plugin shadow` try it on live messages before it is live"
            .to_owned()
    })
}

/// What its cases leave untried of what a binding has it do; none when there is nothing.
pub(crate) fn warning(binding: &Binding, cases: &[Case]) -> Option<String> {
    whole(cases).or_else(|| {
        let is_tried = check::tried(binding.stage, cases).next().is_some();
        (!is_tried && binding.stage.interface().is_some()).then(|| {
            format!(
                "none of its cases is for stage `{}`, so neither what it answers there nor the settings of its binding \
                 `{}` were tried; give it one, or have `cambist plugin shadow` try it on live messages before it is live",
                binding.stage,
                binding.name()
            )
        })
    })
}
