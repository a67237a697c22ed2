//! The side that is read from.

use async_trait::async_trait;
use cambist_contract::message::Message;
use serde_json::Value;

use crate::ConnectError;

/// A system whose objects can be read again.
#[async_trait]
pub trait Source: Send + Sync {
    /// Reads what a message is about, with what belongs to it, as it is now.
    ///
    /// The answer is the `body` of the mapping plugin's `inbound`; each connector documents its shape. Called for every
    /// attempt at the stage `fetch`; it changes nothing at the far side.
    ///
    /// # Errors
    ///
    /// The object could not be read; the error says what may be done next.
    async fn fetch(&self, message: &Message) -> Result<Value, ConnectError>;

    /// Whether the system answers and accepts our key, by one cheap call.
    ///
    /// # Errors
    ///
    /// What is the matter.
    async fn ready(&self) -> Result<(), ConnectError>;
}
