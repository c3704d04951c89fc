//! Word from a call that takes its time, for agents that have asked to hear from it.

use std::convert::Infallible;
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

/// How long a call is silent before it is heard from, and between two words.
const PAUSE: Duration = Duration::from_secs(1);

/// Says every second how much of its `patience` a call has used up; says nothing to an agent that gave no token for it.
pub async fn tell(context: &RequestContext<RoleServer>, patience: Duration) -> Infallible {
    let Some(token) = context.meta.get_progress_token() else { return std::future::pending().await };
    let mut pauses = tokio::time::interval(PAUSE);
    pauses.tick().await;
    let mut seconds = 0_u32;
    loop {
        pauses.tick().await;
        seconds += 1;
        let told = ProgressNotificationParam::new(token.clone(), f64::from(seconds))
            .with_total(patience.as_secs_f64())
            .with_message(format!("{seconds} of at most {} seconds", patience.as_secs()));
        // An agent that is not there to hear it has cancelled the call by going.
        let _ = context.peer.notify_progress(told).await;
    }
}
