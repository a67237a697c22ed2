//! What is asked of a component before it is compiled: that its binding takes it, and that
//! the right people signed it.

use cambist_contract::digest::Digest;

use crate::{
    Binding,
    examine::{Part, Refusal},
    terms::Terms,
    trust::{Signature, TrustError},
};

/// What a component shows before it is let in.
pub(crate) struct Admission {
    pub(crate) component: Digest,
    signatures: Vec<Signature>,
}

impl Terms {
    /// What a component shows.
    pub(crate) fn admission(&self, bytes: &[u8]) -> Result<Admission, (Part, Refusal)> {
        Ok(Admission {
            component: Digest::of(bytes),
            signatures: self.trust.look(bytes).map_err(untrusted)?,
        })
    }

    /// That a binding takes it.
    pub(crate) fn admit(&self, binding: &Binding, shown: &Admission) -> Result<(), (Part, Refusal)> {
        if let Some(pinned) = binding.component
            && pinned != shown.component
        {
            let reason = format!(
                "it is component {}, and its binding `{}` takes {pinned} alone; set the binding's `component` to it, \
                 or bring the other",
                shown.component,
                binding.name()
            );
            return Err((Part::Component, Refusal::Component(reason)));
        }
        self.trust
            .admit(&shown.signatures, binding.region.as_deref())
            .map_err(untrusted)
    }

    /// That what messages are pinned to may still be called.
    pub(crate) fn still_trusted(&self, bytes: &[u8]) -> Result<(), TrustError> {
        self.trust.keep(&self.trust.look(bytes)?)
    }
}

fn untrusted(error: TrustError) -> (Part, Refusal) {
    (Part::Trust, Refusal::Component(error.to_string()))
}
