//! The shipped mappings behind the plugin port, linked natively: the same functions
//! on the same records, without a sandbox.
//!
//! A plugin's function takes and answers the SDK's types, the host the contract's.
//! What lies between is the sandbox's own table of fields and checks, with the
//! SDK's types in the place of wasmtime's: so both sides of the benchmark are
//! handed the same values, do the same checks and give the same values back, and
//! what differs is the sandbox.

#[path = "../../../host/sandbox/src/generation/v0_1_0/answers.rs"]
mod answers;
mod bindings;
#[path = "../../../host/sandbox/src/generation/v0_1_0/canonical.rs"]
mod canonical;
#[path = "../../../host/sandbox/src/generation/v0_1_0/convert.rs"]
mod convert;
#[path = "../../../host/sandbox/src/generation/v0_1_0/depth.rs"]
mod depth;
mod loan;
mod room;

use cambist_contract::{
    canonical::Change,
    context::Context,
    limits::Limits,
    mapping::{Inbound, Outbound, Plan},
    plugin::CallError,
};
use cambist_sdk::Mapping;

use self::{
    answers::answer,
    convert::{Allowed, ToWit as _},
    room::Room,
};

/// What a sandboxed answer may hold by default.
fn allowed() -> Allowed {
    let limits = Limits::default();
    Allowed::new(limits.items, limits.depth)
}

/// `mapping.read` of a plugin.
pub(crate) fn read<P: Mapping>(context: &Context, input: &Inbound) -> Result<Vec<Change>, CallError> {
    let room = Room;
    answer(P::read(&context.to_wit(&room), input.to_wit(&room)), allowed())
}

/// `mapping.write` of a plugin.
pub(crate) fn write<P: Mapping>(context: &Context, input: &Outbound) -> Result<Plan, CallError> {
    let room = Room;
    answer(P::write(&context.to_wit(&room), input.to_wit(&room)), allowed())
}
