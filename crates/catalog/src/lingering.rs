//! What was given up lately: while its records linger, whoever began to read it may still be reading.

use std::sync::Arc;

use base::{Span, Timestamp};

use crate::catalog::Room;
use crate::error::{Error, Result};
use crate::state::State;

impl Room {
    /// The state that was the newest at a moment, by the clocks that stamp the records. Where that has expired it is told
    /// from what lingers of it, and when nothing does, it is the earliest state that can be told.
    pub async fn newest_before(&self, moment: Timestamp, head: &Arc<State>) -> Result<Arc<State>> {
        let mut known = Arc::clone(head);
        loop {
            match self.earlier(moment, &known).await {
                Ok(earlier) if earlier.oldest < known.oldest && earlier.at > moment => known = earlier,
                Ok(found) => return Ok(found),
                Err(Error::Damaged { .. } | Error::UnknownVersion { .. }) => return Ok(known),
                Err(error) => return Err(error),
            }
        }
    }

    /// The newest state at a moment among the versions that `known` keeps, or else the oldest of them: what it knew as
    /// oldest leads further back.
    async fn earlier(&self, moment: Timestamp, known: &State) -> Result<Arc<State>> {
        let version = self.past.last_until(moment, known).await?.unwrap_or(known.oldest);
        self.past.state(version).await
    }

    /// The moment so long before now.
    pub fn moment_before(&self, span: Span) -> Timestamp {
        before(self.lake.seams.now(), span)
    }
}

/// The moment so long before another.
pub(crate) fn before(moment: Timestamp, span: Span) -> Timestamp {
    let span = i64::try_from(span.0.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(moment.micros().saturating_sub(span))
}
