use super::{compare, parse};

#[test]
fn a_feature_that_only_tests_ask_for_is_named() {
    let run = parse("tokio v1.48.0|fs,net\nbytes v1.0.0|default (*)\n");
    assert!(compare(&run, &parse("bytes v1.0.0|default\ntokio v1.48.0|fs,net\nproptest v1.0.0|std")).is_empty());
    let faults = compare(&run, &parse("bytes v1.0.0|default\ntokio v1.48.0|fs,net,test-util"));
    assert_eq!(faults, ["features: the tests build tokio v1.48.0 with other features than `cargo run`"]);
}
