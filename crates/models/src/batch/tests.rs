use super::*;

/// Batches of texts with these lengths hold so many texts each.
fn check(lengths: &[usize], expected: &[usize]) {
    let texts: Vec<Arc<str>> = lengths.iter().map(|length| Arc::from("x".repeat(*length))).collect();
    let batches = batches(&texts, Limits { texts: 3, bytes: 10 });
    assert_eq!(batches.iter().cloned().flatten().collect::<Vec<_>>(), (0..lengths.len()).collect::<Vec<_>>());
    assert_eq!(batches.iter().map(ExactSizeIterator::len).collect::<Vec<_>>(), expected);
}

#[test]
fn batches_hold_few_texts_and_few_bytes() {
    check(&[], &[]);
    check(&[1], &[1]);
    check(&[1, 1, 1], &[3]);
    check(&[1, 1, 1, 1], &[3, 1]);
    check(&[5, 5, 1], &[2, 1]);
    check(&[1, 50, 1], &[1, 1, 1]);
    check(&[50, 50], &[1, 1]);
}

#[test]
fn a_fingerprint_changes_with_whatever_changes_vectors() {
    let plain = fingerprint("ollama", "m", 2, None, "");
    assert_eq!(plain.len(), 64);
    assert_eq!(plain, fingerprint("ollama", "m:latest", 2, None, ""));
    for other in [
        fingerprint("openai", "m", 2, None, ""),
        fingerprint("ollama", "n", 2, None, ""),
        fingerprint("ollama", "m", 3, None, ""),
        fingerprint("ollama", "m", 2, Some("sha256:1"), ""),
        fingerprint("ollama", "m", 2, None, "query: "),
    ] {
        assert_ne!(plain, other);
    }
}
