use super::*;

#[test]
fn rows_are_shared_out_in_order_among_as_few_segments_as_hold_them() {
    let block = Arc::new(Block::gather(&[]));
    let parts = [0..3, 3..3, 3..10].map(|rows| Part { block: Arc::clone(&block), rows: rows.collect() });
    let shares = share_out(parts.into(), 4);
    let rows: Vec<Vec<u32>> =
        shares.iter().map(|share| share.iter().flat_map(|part| part.rows.iter().copied()).collect()).collect();
    assert_eq!(rows, [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    assert!(share_out(Vec::new(), 4).is_empty());
}
