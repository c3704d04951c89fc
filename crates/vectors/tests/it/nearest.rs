//! Search finds what comparing with every vector finds.

use base::Distance;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::lake::{distance, found, item, name, near, nearest};

const DISTANCES: [Distance; 3] = [Distance::Cosine, Distance::Euclidean, Distance::Dot];

/// How far a distance may be from the one computed in the plainest way, for distances around 1.
const TOLERANCE: f64 = 1e-6;

#[derive(Debug, Clone)]
struct Case {
    vectors: Vec<Vec<f32>>,
    query: Vec<f32>,
    /// Where the vectors are cut into adds.
    batch: usize,
    k: usize,
}

fn cases(value: impl Strategy<Value = f32> + Clone) -> impl Strategy<Value = Case> {
    (1..70_usize).prop_flat_map(move |dimension| {
        let direction = |vector: &Vec<f32>| vector.iter().any(|value| *value != 0.0);
        let vector = prop::collection::vec(value.clone(), dimension).prop_filter("a direction", direction);
        (prop::collection::vec(vector.clone(), 0..60), vector, 1..20_usize, 1..80_usize)
            .prop_map(|(vectors, query, batch, k)| Case { vectors, query, batch, k })
    })
}

/// What search answers: positions of the vectors and distances.
async fn search(case: &Case, measure: Distance) -> Vec<(usize, f64)> {
    let process = found(case.query.len() as u32, measure).await;
    let items: Vec<_> = case.vectors.iter().enumerate().map(|(n, vector)| item(&format!("{n:03}"), vector)).collect();
    for batch in items.chunks(case.batch) {
        process.vectors.add(&name("found"), batch.to_vec(), None).await.unwrap();
    }
    let found = process.vectors.search(&name("found"), near(&case.query, case.k), None).await.unwrap();
    found.results.into_iter().map(|hit| (hit.id.parse().unwrap(), f64::from(hit.distance.unwrap()))).collect()
}

/// All vectors, nearest first.
fn ranked(case: &Case, measure: Distance) -> Vec<(usize, f64)> {
    let distances = case.vectors.iter().map(|vector| distance(measure, &case.query, vector));
    let mut all: Vec<(usize, f64)> = distances.enumerate().collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    all
}

fn check(case: &Case) -> Result<(), TestCaseError> {
    let runtime = Runtime::new().unwrap();
    for measure in DISTANCES {
        let found = runtime.block_on(search(case, measure));
        let all = ranked(case, measure);
        prop_assert_eq!(found.len(), all.len().min(case.k));
        let near = |a: f64, b: f64| (a - b).abs() <= TOLERANCE * (1.0 + a.abs());
        for ((position, reported), (_, wanted)) in found.iter().zip(&all) {
            let own = distance(measure, &case.query, &case.vectors[*position]);
            prop_assert!(near(own, *reported), "{measure}: {reported} is reported for {own}");
            prop_assert!(near(*wanted, *reported), "{measure}: {reported} stands where {wanted} belongs");
        }
        let ordered = found.is_sorted_by(|a, b| a.1 < b.1 || (a.1 == b.1 && a.0 < b.0));
        prop_assert!(ordered, "{measure}: {found:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn search_equals_comparing_with_all(case in cases(-1.0_f32..1.0)) {
        check(&case)?;
    }

    /// Few different values: many distances are the same, and ids decide.
    #[test]
    fn the_same_distance_is_ordered_by_id(case in cases((-1_i8..2).prop_map(f32::from))) {
        check(&case)?;
    }
}

#[tokio::test]
async fn a_batch_of_megabytes_is_searched_where_it_lies() {
    const DIMENSION: usize = 64;
    let lake = testkit::TestLake::open().await;
    let process = crate::lake::open(&lake.store).await;
    process.vectors.create(crate::lake::index("found", DIMENSION as u32, Distance::Cosine)).await.unwrap();
    let value = |row: usize, n: usize| ((row * 7919 + n * 104_729) % 2003) as f32 / 1000.0 - 1.0;
    let vector = |row: usize| (0..DIMENSION).map(|n| value(row, n)).collect::<Vec<f32>>();
    let vectors: Vec<Vec<f32>> = (0..40_000).map(vector).collect();
    let items = vectors.iter().enumerate().map(|(row, vector)| item(&format!("{row:05}"), vector)).collect();
    process.vectors.add(&name("found"), items, None).await.unwrap();
    process.vectors.remove(&name("found"), vec!["00007".into()]).await.unwrap();
    process.vectors.add(&name("found"), vec![item("00009", &vectors[7])], None).await.unwrap();
    for reopened in [process, crate::lake::open(&lake.reopen().await).await] {
        assert_eq!(nearest(&reopened.vectors, &vectors[8], 1).await, ["00008"]);
        assert_eq!(nearest(&reopened.vectors, &vectors[7], 1).await, ["00009"]);
        let query = vector(1_000_003);
        let found = reopened.vectors.search(&name("found"), near(&query, 10), None).await.unwrap();
        let mut wanted: Vec<(f64, usize)> =
            (0..40_000).map(|row| (distance(Distance::Cosine, &query, &vectors[row]), row)).collect();
        wanted.retain(|(_, row)| ![7, 9].contains(row));
        wanted.push((distance(Distance::Cosine, &query, &vectors[7]), 9));
        wanted.sort_by(|a, b| a.partial_cmp(b).unwrap());
        for (hit, (distance, _)) in found.results.iter().zip(wanted) {
            assert!((f64::from(hit.distance.unwrap()) - distance).abs() <= TOLERANCE, "{hit:?} for {distance}");
        }
    }
}
