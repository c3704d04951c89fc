use super::*;
use crate::embedded::kernel::RowsMut;

/// Bytes that look like chance.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A matrix as a file has it, with factors around a hundredth.
fn file(codes: Codes, inputs: usize, outputs: usize) -> Vec<u8> {
    let mut file = bytes(7, codes.row(inputs).unwrap() * outputs);
    for (at, block) in file.chunks_exact_mut(codes.bytes()).enumerate() {
        block[..2].copy_from_slice(&(0x2000u16 + at as u16 % 512).to_le_bytes());
        match codes {
            Codes::Nibbles => block[2..4].copy_from_slice(&(0xa400u16 + at as u16 % 256).to_le_bytes()),
            // No file has the lowest byte.
            Codes::Octets => block[2..].iter_mut().filter(|byte| **byte == MIDDLE).for_each(|byte| *byte = 0),
        }
    }
    file
}

fn product(kernel: Kernel, codes: Codes, [count, inputs, outputs]: [usize; 3], add: bool) -> (Vec<f32>, Vec<f32>) {
    let file = file(codes, inputs, outputs);
    let (first, second) = file.split_at(codes.row(inputs).unwrap() * WIDTH);
    let matrix = BlockMatrix::of(codes, inputs, &[first, second]).unwrap();
    let rows: Vec<f32> = bytes(3, count * inputs).iter().map(|byte| f32::from(*byte) / 64.0 - 2.0).collect();
    let before: Vec<f32> = bytes(5, count * outputs).iter().map(|byte| f32::from(*byte)).collect();
    let mut blocks = BlockRows::default();
    blocks.fill(kernel, &rows);
    let mut out = before.clone();
    let part = matrix.part(0..outputs / WIDTH);
    let rows_of = blocks.rows(0, count, matrix.depth());
    kernel.multiply_blocks(rows_of, part, add, &mut RowsMut { numbers: &mut out, stride: outputs });
    let mut exact = Vec::new();
    for row in rows.chunks_exact(inputs) {
        for weights in file.chunks_exact(codes.row(inputs).unwrap()) {
            exact.push(codes.numbers(weights).zip(row).map(|(weight, x)| weight * x).sum());
        }
    }
    if add {
        exact.iter_mut().zip(&before).for_each(|(exact, before)| *exact += before);
    }
    (exact, out)
}

#[test]
fn products_of_blocks_are_near_on_every_kernel_and_the_same_on_all() {
    for codes in [Codes::Nibbles, Codes::Octets] {
        for (count, add) in [(1, false), (1, true), (2, false), (3, true), (4, false), (9, true)] {
            let shape = [count, 96, 64];
            let outcomes: Vec<_> = Kernel::all().into_iter().map(|kernel| product(kernel, codes, shape, add)).collect();
            for (exact, out) in &outcomes {
                let far = exact.iter().zip(out).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                let size = exact.iter().map(|x| x.abs()).fold(0.0, f32::max);
                assert!(far < 0.01 * size, "{codes:?} {shape:?}: {far} of {size}");
                assert_eq!(*out, outcomes[0].1, "{codes:?} {shape:?}");
            }
        }
    }
}

#[test]
fn a_matrix_of_no_whole_panels_is_none() {
    let file = file(Codes::Octets, 64, 33);
    assert!(BlockMatrix::of(Codes::Octets, 64, &[&file]).is_none());
    assert!(BlockMatrix::of(Codes::Octets, 65, &[&file]).is_none());
    assert!(BlockMatrix::of(Codes::Octets, 0, &[&file]).is_none());
}

#[test]
fn numbers_of_16_bits_are_read() {
    let cases =
        [(0, 0.0), (0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (1, 5.960_464_5e-8), (0x3555, 0.333_251_95)];
    for (bits, number) in cases {
        assert_eq!(half(bits), number, "{bits:#x}");
    }
    assert!(half(0x7c00).is_infinite() && half(0x7e00).is_nan());
}
