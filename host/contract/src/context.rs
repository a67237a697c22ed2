//! What a plugin call may know besides its input.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{json::Json, message::MessageId};

/// The context of one call; the same for every attempt at a message.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Context {
    /// The message that is being worked on.
    pub message: MessageId,
    /// The flow it is in.
    pub flow: String,
    /// The region it belongs to.
    pub region: String,
    /// The business unit within the region; empty when there is none.
    #[serde(default)]
    pub unit: String,
    /// When the sender says that it happened: the only "now" a plugin has.
    pub time: Timestamp,
    /// The settings of the binding: a JSON object.
    #[serde(default = "Json::empty_object")]
    pub settings: Json,
}
