use super::Secret;

#[test]
fn a_secret_is_never_shown() {
    let secret: Secret = serde_json::from_str("\"hunter2\"").expect("a secret");
    let shown = [format!("{secret}"), format!("{secret:?}"), serde_json::to_string(&secret).expect("JSON")];
    assert!(shown.iter().all(|shown| shown.contains("***") && !shown.contains("hunter2")), "{shown:?}");
    assert_eq!(secret.expose(), "hunter2");
}

#[test]
fn what_cannot_be_a_secret_is_not_shown_either() {
    for given in ["12345678", "[12345678]", "{\"12345678\": 1}"] {
        let refused = serde_json::from_str::<Secret>(given).expect_err("no text").to_string();
        assert!(refused.contains("a secret is a text") && !refused.contains("12345678"), "{refused}");
    }
}
