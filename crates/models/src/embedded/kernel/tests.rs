use super::*;
use crate::embedded::bytes::Way;
use crate::embedded::panels::wide;

/// Numbers between -1 and 1 that look like chance.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

struct Product {
    count: usize,
    inputs: usize,
    outputs: usize,
    residual: bool,
}

/// The product in double precision, and what the kernel makes of it.
fn both(kernel: Kernel, product: &Product) -> (Vec<f64>, Vec<f32>) {
    let Product { count, inputs, outputs, residual } = *product;
    let (rows, weights) = (numbers(1, count * inputs), numbers(2, inputs * outputs));
    let (bias, before) = (numbers(3, outputs), numbers(4, count * outputs.next_multiple_of(WIDTH)));
    let stride = outputs.next_multiple_of(WIDTH);
    let panels = Panels::of(inputs, outputs, |output, input| weights[output * inputs + input]);
    let bias_wide = wide(&bias);
    let onto = if residual { Onto::Residual(&bias_wide) } else { Onto::Bias(&bias_wide) };
    let mut out = before.clone();
    let rows_of = Rows { numbers: &rows, stride: inputs };
    kernel.multiply(count, rows_of, &panels, onto, &mut RowsMut { numbers: &mut out, stride });
    let mut expected = Vec::new();
    let mut got = Vec::new();
    for row in 0..count {
        for output in 0..outputs {
            let start = f64::from(bias[output]) + if residual { f64::from(before[row * stride + output]) } else { 0.0 };
            let terms =
                (0..inputs).map(|at| f64::from(rows[row * inputs + at]) * f64::from(weights[output * inputs + at]));
            expected.push(start + terms.sum::<f64>());
            got.push(out[row * stride + output]);
        }
    }
    (expected, got)
}

#[test]
fn products_of_every_shape_are_right_on_every_kernel() {
    for kernel in Kernel::all() {
        for count in (0..32).chain([57]) {
            for (inputs, outputs) in [(1, 1), (3, 31), (32, 33), (7, 64), (384, 96)] {
                let product = Product { count, inputs, outputs, residual: count % 2 == 1 };
                let (expected, got) = both(kernel, &product);
                let far = expected.iter().zip(&got).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max);
                assert!(far <= 2e-5, "{kernel:?} {count} × {inputs} × {outputs}: {far}");
            }
        }
    }
}

/// What a kernel makes of rows and a matrix as bytes.
fn of_bytes(kernel: Kernel, product: &Product, way: Way<'_>) -> (Vec<f64>, Vec<f32>) {
    let Product { count, inputs, outputs, residual } = *product;
    let (width, stride) = (inputs.next_multiple_of(QUAD), outputs.next_multiple_of(WIDTH));
    let (rows, weights) = (numbers(1, count * inputs), numbers(2, inputs * outputs));
    let matrix = Matrix::nearest(inputs, outputs, way, |output, input| weights[output * inputs + input]);
    let (mut bytes, mut factors, mut apart) = (vec![0; count * width], Vec::new(), Vec::new());
    for (row, bytes) in rows.chunks(inputs).zip(bytes.chunks_mut(width)) {
        let mut row: Vec<f32> = row.iter().map(|x| x.max(-0.17)).collect();
        apart.extend(way.apart.iter().map(|at| std::mem::take(&mut row[*at])));
        factors.push(kernel.to_bytes(&row, way.reach, bytes));
    }
    let bias = matrix.biased(wide(&numbers(3, outputs)));
    let mut out = numbers(4, count * stride);
    let (before, onto) = (out.clone(), if residual { Onto::Residual(&bias) } else { Onto::Bias(&bias) });
    let rows_of = Bytes { bytes: &bytes, factors: &factors, apart: &apart, stride: width };
    kernel.multiply_bytes(count, rows_of, &matrix, onto, &mut RowsMut { numbers: &mut out, stride });
    let mut expected = Vec::new();
    for row in 0..count {
        for output in 0..outputs {
            let start = numbers(3, outputs)[output] + if residual { before[row * stride + output] } else { 0.0 };
            let input = |at: usize| f64::from(rows[row * inputs + at].max(-0.17));
            let terms = (0..inputs).map(|at| input(at) * f64::from(weights[output * inputs + at]));
            expected.push(f64::from(start) + terms.sum::<f64>());
        }
    }
    let got = out.chunks(stride).flat_map(|row| row[..outputs].to_vec()).collect();
    (expected, got)
}

#[test]
fn products_of_bytes_are_near_and_the_same_on_every_kernel() {
    let ways = [Way { reach: Reach::Even, apart: &[] }, Way { reach: Reach::From(-0.17), apart: &[0, 2] }];
    for way in ways {
        for count in [0, 1, 5, 6, 7, 13, 14, 15, 29] {
            for (inputs, outputs) in [(3, 31), (32, 33), (7, 64), (384, 96)] {
                let product = Product { count, inputs, outputs, residual: count % 2 == 1 };
                let (expected, plain) = of_bytes(Kernel(Instructions::Portable), &product, way);
                // Each factor is off by half a step of 1/127 at most, at random.
                let allowed = 0.02 * (inputs as f64).sqrt();
                let far = expected.iter().zip(&plain).map(|(a, b)| (a - f64::from(*b)).abs()).fold(0.0, f64::max);
                assert!(far <= allowed, "{count} × {inputs} × {outputs}: {far}");
                for kernel in Kernel::all() {
                    assert_eq!(of_bytes(kernel, &product, way).1, plain, "{kernel:?} {count} × {inputs} × {outputs}");
                }
            }
        }
    }
}

#[test]
fn every_kernel_rounds_at_the_same_places() {
    let plain = Kernel(Instructions::Portable);
    for kernel in Kernel::all() {
        for count in [1, 15, 16, 40, 384] {
            let row: Vec<f32> = numbers(7, count).iter().map(|x| x * 5.0).collect();
            let each = |kernel: Kernel| {
                let (mut gelu, mut softmax, mut normal, mut bytes) =
                    (row.clone(), row.clone(), row.clone(), vec![0; count]);
                kernel.gelu(&mut gelu);
                kernel.softmax(&mut softmax, 0.3);
                kernel.normalize(&mut normal, &row, &row);
                let worth = kernel.to_bytes(&row, Reach::Even, &mut bytes);
                let (mut gates, mut level) = (row.clone(), vec![0.0; count]);
                kernel.gate(&mut gates, &softmax);
                kernel.level(&row, &gelu, 1e-5, &mut level);
                let (mut codes, mut factors, mut sums) = (vec![0; count], vec![0.0; count / 32], vec![0; count / 32]);
                kernel.to_blocks(&row, &mut codes, &mut factors, &mut sums);
                ([gelu, softmax, normal, gates, level, factors], bytes, worth.to_bits(), codes, sums)
            };
            assert_eq!(each(kernel), each(plain), "{kernel:?} {count}");
        }
        let product = Product { count: 9, inputs: 100, outputs: 40, residual: true };
        assert_eq!(both(kernel, &product).1, both(plain, &product).1, "{kernel:?}");
    }
}

#[test]
fn a_sum_of_a_product_is_rounded_once_without_the_instruction() {
    let scales = [1.0, 1e-3, 1e4, 1e-20, 1e18];
    for (number, a) in numbers(8, 300).into_iter().enumerate() {
        for (at, b) in numbers(9, 60).into_iter().enumerate() {
            let c = -a * b * (1.0 + f32::EPSILON * (at % 3) as f32) + scales[number % 5] * numbers(10, 60)[at] * 1e-7;
            assert_eq!(lanes::fused::<false>(a, b, c).to_bits(), a.mul_add(b, c).to_bits(), "{a} {b} {c}");
        }
    }
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    for kernel in Kernel::all() {
        let many = both(kernel, &Product { count: 29, inputs: 100, outputs: 40, residual: false }).1;
        for count in 1..29 {
            let few = both(kernel, &Product { count, inputs: 100, outputs: 40, residual: false }).1;
            assert_eq!(many[..few.len()], few, "{kernel:?}");
        }
    }
}

#[test]
fn activation_and_shares_are_right_on_every_kernel() {
    let xs: Vec<f32> = (-2000..=2000).map(|x| x as f32 / 500.0).collect();
    for kernel in Kernel::all() {
        let mut gelu = xs.clone();
        kernel.gelu(&mut gelu);
        for (x, got) in xs.iter().zip(&gelu) {
            let expected = f64::from(*x) * 0.5 * (1.0 + erf(f64::from(*x) / 2f64.sqrt()));
            assert!(
                (expected - f64::from(*got)).abs() <= 1e-6 * (1.0 + f64::from(x.abs())),
                "{kernel:?} {x}: {expected} {got}"
            );
        }
        for count in [1, 2, 15, 16, 17, 256] {
            let scores: Vec<f32> = numbers(5, count).iter().map(|x| x * 300.0).collect();
            let mut shares = scores.clone();
            kernel.softmax(&mut shares, 0.2);
            let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f64> = scores.iter().map(|x| (f64::from(x - most) * 0.2).exp()).collect();
            let sum: f64 = powers.iter().sum();
            for (power, share) in powers.iter().zip(&shares) {
                assert!((power / sum - f64::from(*share)).abs() <= 1e-6, "{kernel:?} {count}");
            }
        }
    }
}

#[test]
fn normalised_rows_have_mean_zero_and_variance_one() {
    for kernel in Kernel::all() {
        let mut row: Vec<f32> = numbers(6, 384).iter().map(|x| x * 3.0 + 7.0).collect();
        kernel.normalize(&mut row, &[1.0; 384], &[0.0; 384]);
        let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / 384.0;
        let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / 384.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{kernel:?}: {mean} {variance}");
        let plain = row.clone();
        kernel.normalize(&mut row, &[2.0; 384], &[5.0; 384]);
        assert!(row.iter().zip(&plain).all(|(x, plain)| (x - (plain * 2.0 + 5.0)).abs() < 1e-4), "{kernel:?}");
    }
}

#[test]
fn gates_open_as_they_should_and_levels_have_a_mean_square_of_one() {
    let xs: Vec<f32> = (-4000..=4000).map(|x| x as f32 / 40.0).collect();
    for kernel in Kernel::all() {
        let mut gates = xs.clone();
        kernel.gate(&mut gates, &vec![2.0; xs.len()]);
        for (x, got) in xs.iter().map(|x| f64::from(*x)).zip(&gates) {
            let expected = 2.0 * x / (1.0 + (-x).exp());
            assert!((expected - f64::from(*got)).abs() <= 1e-6 * (1.0 + x.abs()), "{kernel:?} {x}: {expected} {got}");
        }
        let mut level = vec![0.0; xs.len()];
        kernel.level(&xs, &vec![1.0; xs.len()], 0.0, &mut level);
        let square = level.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / xs.len() as f64;
        assert!((square - 1.0).abs() < 1e-5, "{kernel:?}: {square}");
    }
}

/// The error function by its series, which converges in double precision for the arguments used here.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}
