use super::*;

#[test]
fn a_sample_is_spread_over_all_items() {
    for (sample, length) in [(1000, 1999), (1000, 1001), (1, 10), (7, 7), (7, 3), (3, 3000)] {
        let chosen: Vec<usize> = (0..length).filter(|at| is_chosen(*at, sample, length)).collect();
        assert_eq!(chosen.len(), sample.min(length), "{sample} of {length}");
        let gap = length.div_ceil(sample);
        let ends = [0].into_iter().chain(chosen).chain([length]).collect::<Vec<_>>();
        assert!(ends.windows(2).all(|two| two[1] - two[0] <= gap), "{sample} of {length}");
    }
}
