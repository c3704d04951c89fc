use super::Secret;

#[test]
fn a_secret_is_never_shown() {
    let secret: Secret = serde_json::from_str("\"hunter2\"").expect("a secret");
    let shown = [format!("{secret}"), format!("{secret:?}"), serde_json::to_string(&secret).expect("JSON")];
    assert!(shown.iter().all(|shown| shown.contains("***") && !shown.contains("hunter2")), "{shown:?}");
    assert_eq!(secret.expose(), "hunter2");
}
