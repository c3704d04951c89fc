use proptest::prelude::*;

use super::{BLOCK, Block, ENTRIES, Frame, GROUP, Kernel, Line, PACKED, lane};

fn bytes(count: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), count)
}

fn numbers(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-9.0_f32..9.0, count)
}

fn le(numbers: &[f32]) -> [[u8; 4]; BLOCK] {
    std::array::from_fn(|n| numbers[n].to_le_bytes())
}

/// Packs of signs with their tables, and the bases and factors of a block.
type Scanned = (Vec<u8>, Vec<u8>, Vec<f32>, Vec<f32>, f32);

fn scanned() -> impl Strategy<Value = Scanned> {
    (1..70_usize).prop_flat_map(|packs| {
        let tables = prop::collection::vec(0..64_u8, packs * PACKED * ENTRIES);
        (bytes(packs * (PACKED - 1) * BLOCK), tables, numbers(BLOCK), numbers(BLOCK), -99.0_f32..99.0)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_kernel_scans_to_the_same_bits((signs, tables, bases, factors, limit) in scanned()) {
        let signs = signs.as_chunks::<BLOCK>().0.as_chunks::<{ PACKED - 1 }>().0;
        let tables = tables.as_chunks::<ENTRIES>().0.as_chunks::<PACKED>().0;
        let (bases, factors) = (le(&bases), le(&factors));
        let block = Block { signs, bases: &bases, factors: &factors };
        let line = Line { slope: 0.01, offset: -0.7, limit };
        let answer = |kernel: Kernel| {
            let mut scores = [0.0; BLOCK];
            let below = kernel.scan(tables, block, line, &mut scores);
            (below, scores.map(f32::to_bits))
        };
        for kernel in Kernel::all() {
            prop_assert_eq!(answer(kernel), answer(Kernel::Scalar), "{:?}", kernel);
        }
    }

    #[test]
    fn every_kernel_multiplies_exactly(
        (width, queries, rows) in (1..6_usize, 0..7_usize, 0..7_usize).prop_flat_map(|(width, queries, rows)| {
            (Just(width * BLOCK), prop::collection::vec(any::<i8>(), width * BLOCK * queries), bytes(width * BLOCK * rows))
        }),
    ) {
        let answer = |kernel: Kernel| {
            let mut products = vec![7; queries.len() / width * (rows.len() / width)];
            kernel.products(width, &queries, &rows, &mut products);
            products
        };
        for kernel in Kernel::all() {
            prop_assert_eq!(answer(kernel), answer(Kernel::Scalar), "{:?}", kernel);
            if let (Some(query), Some(row)) = (queries.get(..width), rows.get(..width)) {
                prop_assert_eq!(kernel.product(query, row), answer(kernel)[0]);
            }
        }
    }

    #[test]
    fn every_kernel_computes_floats_to_the_same_bits(a in numbers(80), b in numbers(80), bytes in bytes(80)) {
        let answer = |kernel: Kernel| {
            let (mut mixed, mut sums, mut quantised, mut entries) = (a.clone(), b.clone(), vec![0; 80], [0; ENTRIES]);
            kernel.butterfly(&a, &mut mixed);
            kernel.add(&mut sums, &bytes, 0.3);
            kernel.quantise(&a, 14.0, &mut quantised);
            kernel.table(a.first_chunk::<GROUP>().unwrap(), 0.5, &mut entries);
            let frame = Frame { square: 0.4, scale: 0.01, bias: 99 };
            let products: Vec<i32> = bytes.iter().map(|byte| i32::from(*byte) * 5).collect();
            let steps: Vec<(f32, f32)> = a.iter().copied().zip(b.iter().copied()).collect();
            let (mut distances, mut nearest) = (vec![0.0; 80], vec![(0.0, 0); 80]);
            kernel.distances(frame, &products, &steps, &mut distances);
            kernel.closer(frame, &products, &steps, 3, &mut nearest);
            let floats = [mixed, sums, distances].concat().into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let sums = [kernel.dot(&a, &b), kernel.largest(&a), kernel.magnitude(&a)].map(f32::to_bits);
            let exact = [kernel.dot_precisely(&a, &b), kernel.squared_precisely(&a, &b)].map(f64::to_bits);
            (floats, quantised, entries, nearest, sums, exact)
        };
        for kernel in Kernel::all() {
            prop_assert_eq!(answer(kernel), answer(Kernel::Scalar), "{:?}", kernel);
        }
    }
}

#[test]
fn whole_numbers_at_their_limits_do_not_overflow() {
    let (queries, rows) = (vec![-128_i8; 4096], vec![255_u8; 4096]);
    for kernel in Kernel::all() {
        let mut product = [0];
        kernel.products(4096, &queries, &rows, &mut product);
        assert_eq!(product, [-128 * 255 * 4096], "{kernel:?}");
    }
}

#[test]
fn each_row_has_a_lane_of_its_own() {
    let mut lanes: Vec<usize> = (0..BLOCK).map(lane).collect();
    lanes.sort_unstable();
    assert!(lanes.into_iter().eq(0..BLOCK));
}
