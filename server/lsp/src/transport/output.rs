//! The way out: a queue without an end, and one task that writes it.
//!
//! Knows bytes only.
//! Nobody waits for a client that does not read: the queue grows instead.
//! When it has grown beyond reason, the client is given up.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::debug;

use super::Why;

/// How many frames are taken from the queue between two flushes.
const BATCH: usize = 64;

pub(super) struct Output {
    queue: UnboundedSender<Vec<u8>>,
    /// How many bytes are queued and not written.
    unsent: Arc<AtomicUsize>,
    /// How many may be.
    limit: usize,
    /// The one task that writes; it ends with this struct.
    writer: JoinSet<()>,
}

impl Output {
    pub(super) fn new(stdout: impl AsyncWrite + Unpin + Send + 'static, limit: usize) -> Self {
        let (queue, frames) = mpsc::unbounded_channel();
        let unsent = Arc::new(AtomicUsize::new(0));
        let mut writer = JoinSet::new();
        let written = Arc::clone(&unsent);
        writer.spawn(async move {
            if let Err(error) = write(stdout, frames, &written).await {
                debug!(%error, "the client's end of the output is gone");
            }
        });
        Self { queue, unsent, limit, writer }
    }

    /// Queues one frame.
    pub(super) fn send(&self, frame: Vec<u8>) {
        self.unsent.fetch_add(frame.len(), Ordering::Relaxed);
        // It fails when the writer is gone, which `broken` reports.
        let _ = self.queue.send(frame);
    }

    /// Ends when nothing more can be written, or too much waits to be; cancel safe.
    pub(super) async fn broken(&self) -> Why {
        if self.unsent.load(Ordering::Relaxed) > self.limit {
            return Why::OutputStuck;
        }
        self.queue.closed().await;
        Why::OutputClosed
    }

    /// Writes what is queued, for as long as `limit` at most.
    pub(super) async fn close(self, limit: Duration) {
        let Self { queue, mut writer, .. } = self;
        drop(queue);
        let _ = timeout(limit, writer.join_next()).await;
    }
}

async fn write(
    mut stdout: impl AsyncWrite + Unpin,
    mut frames: UnboundedReceiver<Vec<u8>>,
    unsent: &AtomicUsize,
) -> io::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    while frames.recv_many(&mut batch, BATCH).await > 0 {
        for frame in batch.drain(..) {
            stdout.write_all(&frame).await?;
            unsent.fetch_sub(frame.len(), Ordering::Relaxed);
        }
        stdout.flush().await?;
    }
    Ok(())
}
