use std::sync::Arc;

use super::*;

fn reservation(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
    MemoryConsumer::new(name).register(pool)
}

#[test]
fn an_aggregate_leaves_room_for_its_next_step() {
    let pool: Arc<dyn MemoryPool> = Arc::new(Foresight::new(1000));
    for (name, most) in [("AggregateStream[0]", 250), ("GroupedHashAggregateStream[1] (count)", 500), ("Sort[0]", 1000)]
    {
        let held = reservation(&pool, name);
        held.try_grow(most).unwrap();
        assert_eq!(pool.reserved(), most, "{name}: what is only tried is not held");
        held.try_grow(1).unwrap_err();
        assert_eq!(pool.reserved(), most, "{name}");
    }
    assert_eq!(pool.reserved(), 0);
}
