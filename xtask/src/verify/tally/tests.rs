use super::Tally;

#[test]
fn the_results_of_several_binaries_add_up() {
    let mut tally = Tally::default();
    tally.count("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
    tally.count("test name::tests::case ... ok");
    tally.count("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s");
    assert_eq!(tally, Tally { passed: 15, failed: 2, ignored: 1 });
}
