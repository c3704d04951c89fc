//! A store in memory that counts its calls, loses what it is told to, and dies when its calls are used up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use base::Seams;
use storage::Store;

use crate::bucket::{Bucket, URI};
use crate::faulty::{Call, Fate, Faulty, Mishap, Verb};

/// A store that does as it is told.
#[derive(Debug)]
pub struct Fickle {
    bucket: Bucket,
    script: Arc<Script>,
}

/// What befalls the calls.
#[derive(Debug)]
struct Script {
    calls: AtomicUsize,
    /// Calls that are left; the last one fails after its effect when `lasting`.
    left: AtomicUsize,
    lasting: bool,
    /// Mishaps of the next creates, the last one first.
    mishaps: Mutex<Vec<Mishap>>,
}

impl Fickle {
    /// An empty store that lives.
    #[expect(clippy::new_without_default, reason = "a test says that it makes one")]
    pub fn new() -> Self {
        Self::over(Bucket::new(Seams::system()), usize::MAX, false)
    }

    /// A store over `bucket` that dies after `left` calls, whose last one with `lasting` still takes effect.
    pub fn over(bucket: Bucket, left: usize, lasting: bool) -> Self {
        let (calls, left) = (AtomicUsize::new(0), AtomicUsize::new(left));
        Self { bucket, script: Arc::new(Script { calls, left, lasting, mishaps: Mutex::default() }) }
    }

    /// What it holds.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// The store as the house knows it.
    pub fn store(&self) -> Store {
        self.store_at(URI)
    }

    /// The same at another address.
    pub fn store_at(&self, uri: &str) -> Store {
        let fate = Arc::clone(&self.script) as Arc<dyn Fate>;
        Faulty::over(Arc::new(self.bucket.clone()), fate, Seams::system()).store(uri)
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        self.script.calls.load(Ordering::SeqCst)
    }

    /// Plans mishaps for the next creates, the last one first.
    pub fn plan(&self, mishaps: &[Mishap]) {
        *self.script.mishaps.lock().unwrap_or_else(PoisonError::into_inner) = mishaps.to_vec();
    }
}

#[async_trait]
impl Fate for Script {
    async fn befall(&self, call: &Call<'_>) -> Option<Mishap> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            usize::MAX => Some(left),
            _ => Some(left.saturating_sub(1)),
        });
        match left {
            Ok(0) => return Some(Mishap::FailsBefore),
            Ok(1) if self.lasting => return Some(Mishap::LosesReply),
            _ => {}
        }
        match call.verb {
            Verb::Create => self.mishaps.lock().unwrap_or_else(PoisonError::into_inner).pop(),
            Verb::Get => {
                // Others may go first.
                tokio::task::yield_now().await;
                None
            }
            _ => None,
        }
    }
}
