//! Vectors of any length find themselves.

use base::Distance;

use crate::lake::{found, item, name, near, nearest};

/// A stored vector finds itself first, at a distance of at most 1e-6.
async fn check(measure: Distance, vectors: &[Vec<f32>]) {
    let process = found(vectors[0].len() as u32, measure).await;
    let items = vectors.iter().enumerate().map(|(n, vector)| item(&n.to_string(), vector)).collect();
    process.vectors.add(&name("found"), items, None).await.unwrap();
    for (n, vector) in vectors.iter().enumerate() {
        let found = process.vectors.search(&name("found"), near(vector, vectors.len()), None).await.unwrap();
        assert_eq!(found.results.len(), vectors.len(), "{measure}: k over the length returns all");
        assert_eq!(found.results[0].id, n.to_string(), "{measure}: {vector:?} finds {:?}", found.results);
        assert!((0.0..=1e-6).contains(&found.results[0].distance.unwrap()), "{measure}: {:?}", found.results[0]);
        assert!(found.results.iter().all(|hit| hit.distance.unwrap().is_finite()), "{measure}: {:?}", found.results);
    }
}

/// Directions of their own, at lengths from the smallest numbers to the largest.
fn lengths() -> Vec<Vec<f32>> {
    let exponents = [-45, -40, -38, -30, -20, -10, 0, 10, 18, 19, 20, 30, 37, 38];
    let vector = |(n, exponent): (usize, &i32)| {
        let angle = n as f64 / 20.0;
        let scale = 10_f64.powi(*exponent) * if *exponent == -45 { 2.0 } else { 3.0 };
        vec![(angle.cos() * scale) as f32, (angle.sin() * scale) as f32]
    };
    exponents.iter().enumerate().map(vector).collect()
}

#[tokio::test]
async fn under_cosine() {
    check(Distance::Cosine, &lengths()).await;
}

#[tokio::test]
async fn under_euclidean() {
    let mut vectors = lengths();
    vectors.push(vec![0.0, 0.0]);
    check(Distance::Euclidean, &vectors).await;
}

#[tokio::test]
async fn the_largest_product_is_nearest_whatever_the_lengths() {
    let process = found(2, Distance::Dot).await;
    let items = vec![
        item("a", &[3e38, 3e38]),
        item("b", &[1e38, 0.0]),
        item("c", &[1.0, 0.0]),
        item("d", &[1e-40, 0.0]),
        item("e", &[0.0, 0.0]),
        item("f", &[-3e38, 0.0]),
    ];
    process.vectors.add(&name("found"), items, None).await.unwrap();
    for query in [[1e-40, 1e-40], [1.0, 1.0], [3e38, 3e38]] {
        let found = process.vectors.search(&name("found"), near(&query, 10), None).await.unwrap();
        let ids: Vec<&str> = found.results.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids.len(), 6);
        assert_eq!(ids[5], "f", "{query:?}: {ids:?}");
        assert!(found.results.iter().all(|hit| hit.distance.unwrap().is_finite()), "{:?}", found.results);
    }
    let found = process.vectors.search(&name("found"), near(&[1.0, 0.0], 10), None).await.unwrap();
    let ids: Vec<&str> = found.results.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(found.results[4].distance.unwrap().to_bits(), 0.0_f32.to_bits(), "no minus zero");
}

#[tokio::test]
async fn distances_beyond_single_precision_are_told_apart() {
    for (measure, wanted) in [(Distance::Dot, ["z", "x", "y"]), (Distance::Euclidean, ["z", "y", "x"])] {
        let process = found(2, measure).await;
        let items = vec![item("x", &[-3e38, 3e38]), item("y", &[1.0, 1.0]), item("z", &[3e38, 3e38])];
        let query = if measure == Distance::Dot { [2e38, 3e38] } else { [3e38, 3e38] };
        process.vectors.add(&name("found"), items, None).await.unwrap();
        for k in 1..=3 {
            assert_eq!(nearest(&process.vectors, &query, k).await, wanted[..k], "{measure}");
        }
    }
}

#[tokio::test]
async fn parallel_vectors_are_at_the_same_distance() {
    let process = found(3, Distance::Cosine).await;
    let vector = |n: usize| [1.0, 2.0, 3.0].map(|value| value * n as f32);
    let items = (1..20).rev().map(|n| item(&format!("{n:02}"), &vector(n)));
    process.vectors.add(&name("found"), items.collect(), None).await.unwrap();
    let found = process.vectors.search(&name("found"), near(&[0.5, 1.0, 1.5], 20), None).await.unwrap();
    let found: Vec<_> = found.results.into_iter().map(|hit| (hit.id, hit.distance.unwrap())).collect();
    let wanted: Vec<_> = (1..20).map(|n| (format!("{n:02}"), 0.0)).collect();
    assert_eq!(found, wanted);
}
