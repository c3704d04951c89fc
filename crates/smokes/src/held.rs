//! Uploads that have begun and do not end until they are told to.

use bytes::Bytes;
use client::Body;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use tokio::task::JoinHandle;

use crate::probe::{Probe, Reply, soon};

/// One upload under way.
pub struct Held {
    path: String,
    sender: UnboundedSender<std::io::Result<Bytes>>,
    task: JoinHandle<anyhow::Result<Reply>>,
}

/// Opens `count` uploads below `path` and waits until the server, which has room for just as many, works on all of them.
/// Returns them and the refusal that one more was answered.
pub async fn hold(probe: &Probe, path: &str, count: usize) -> anyhow::Result<(Vec<Held>, Reply)> {
    let mut uploads: Vec<Held> = (0..count).map(|number| Held::open(probe, format!("{path}/{number}"))).collect();
    let refused = soon("a refusal of one more upload", async || {
        for upload in &mut uploads {
            upload.open_again_if_refused(probe).await?;
        }
        let reply = probe.put(&format!("{path}/one-more"), "x".to_owned()).await?;
        Ok((reply.status == 503).then_some(reply))
    })
    .await?;
    Ok((uploads, refused))
}

impl Held {
    fn open(probe: &Probe, path: String) -> Self {
        let (sender, body) = open_body();
        let (uploader, target) = (probe.clone(), path.clone());
        let task = storage::task::spawn("an open upload", async move { uploader.put(&target, body).await });
        Self { path, sender, task }
    }

    /// The one more that asks for a place may have had it at the moment when this upload came.
    async fn open_again_if_refused(&mut self, probe: &Probe) -> anyhow::Result<()> {
        if self.task.is_finished() {
            let path = self.path.clone();
            std::mem::replace(self, Self::open(probe, path)).answer().await?.expect(503)?;
        }
        Ok(())
    }

    /// Sends the last bytes, `" end"`, and waits for the answer.
    pub async fn finish(self) -> anyhow::Result<Reply> {
        // A server that is gone is told by the answer.
        let _ = self.sender.unbounded_send(Ok(Bytes::from_static(b" end")));
        self.answer().await
    }

    async fn answer(self) -> anyhow::Result<Reply> {
        drop(self.sender);
        self.task.await?
    }
}

/// A body that has begun with `"begin"` and ends when its sender is dropped.
pub fn open_body() -> (UnboundedSender<std::io::Result<Bytes>>, Body) {
    let (sender, receiver) = unbounded();
    // The receiver is in hand, so the channel is open.
    let _ = sender.unbounded_send(Ok(Bytes::from_static(b"begin")));
    (sender, Body::stream(receiver))
}
