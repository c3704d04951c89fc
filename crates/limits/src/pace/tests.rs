use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_until_nobody_waits() {
    let pace = Pace::default();
    for piece in 0..3 * PIECES {
        assert_eq!(pace.piece(|| Ok(piece)).unwrap(), piece);
    }
    pace.clone().end();
    let refused = pace.piece(|| -> Result<()> { panic!("no more work is done") }).unwrap_err();
    assert!(matches!(refused, DataFusionError::External(inner) if inner.is::<Error>()));
}
