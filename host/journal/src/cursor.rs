//! How far a system was read that is asked for its changes from time to time.
//!
//! A cursor is no evidence and stands in no chain: what was read stands there, as messages. It
//! is moved after they were accepted, so that what a crash leaves out is read again, and known
//! by its dedupe key.

use async_trait::async_trait;

use crate::JournalError;

/// Where cursors are kept.
#[async_trait]
pub trait Cursors: Send + Sync + 'static {
    /// The text that was last kept under a name; none when none was.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    async fn cursor(&self, name: &str) -> Result<Option<String>, JournalError>;

    /// Keeps a text under a name, in the place of what was there. Durable when this returns.
    ///
    /// # Errors
    ///
    /// Nothing was written.
    async fn move_cursor(&self, name: &str, text: &str) -> Result<(), JournalError>;
}
