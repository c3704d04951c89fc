use base::ByteSize;

use super::{Config, Durability};

#[test]
fn what_is_not_written_has_its_default() {
    let config: Config =
        serde_json::from_str(r#"{"durability": "process", "object_limit": "1MiB"}"#).expect("settings");
    assert_eq!((config.durability, config.object_limit), (Durability::Process, ByteSize::mib(1)));
    assert_eq!((config.vector_limit, config.concurrent_puts), (ByteSize::gib(4), 4));
    assert_eq!(Config::default().durability, Durability::Power);
}

#[test]
fn unknown_keys_are_refused() {
    serde_json::from_str::<Config>(r#"{"durabilty": "power"}"#).expect_err("a misspelt key");
}
