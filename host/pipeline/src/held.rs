//! What becomes of a claim whose task breaks off.

use std::sync::Arc;

use cambist_contract::message::MessageId;
use cambist_journal::under_way::Left;
use tokio::runtime::Handle;

use crate::dispatch::{AFTER_TROUBLE, Pipeline};

/// A claim that somebody works on. Dropped before its [end](Self::end), as a panic
/// does, it counts as an attempt that failed and gives the claim back: one that nobody
/// works on would hold the message and all of its key until the host's next start.
pub(crate) struct Held {
    pipeline: Arc<Pipeline>,
    id: Option<MessageId>,
}

impl Held {
    pub(crate) fn new(pipeline: &Arc<Pipeline>, id: &MessageId) -> Self {
        Self {
            pipeline: Arc::clone(pipeline),
            id: Some(id.clone()),
        }
    }

    /// The work is over, and so is the claim, or it was given back. By now another
    /// may have the message.
    pub(crate) fn end(mut self) {
        self.id = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let (Some(id), Ok(runtime)) = (self.id.take(), Handle::try_current()) else {
            return;
        };
        if std::thread::panicking() {
            // not what it panicked with: that may quote the message
            tracing::error!(
                message_id = %id,
                "the work on a message panicked, which is a bug of the host; it is tried again"
            );
        }
        let pipeline = Arc::clone(&self.pipeline);
        runtime.spawn(async move {
            let left = Left { id, acting: false };
            if pipeline.interrupted(&left, false).await.is_err() {
                tokio::time::sleep(AFTER_TROUBLE).await;
                pipeline.setup.journal.release(&left.id);
            }
        });
    }
}
