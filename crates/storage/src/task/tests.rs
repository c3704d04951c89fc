use super::{blocking, spawn};

#[tokio::test]
async fn a_task_yields_its_value_and_its_panic() {
    assert_eq!(spawn("adds", async { 1 + 1 }).await.expect("a value"), 2);
    assert_eq!(blocking("adds", || 1 + 1).await.expect("a value"), 2);
    assert!(spawn("fails", async { panic!("on purpose") }).await.expect_err("it panicked").is_panic());
    assert!(blocking("fails", || panic!("on purpose")).await.expect_err("it panicked").is_panic());
}
