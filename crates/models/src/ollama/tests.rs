use testkit::{Reply, Scripted};

use super::*;
use crate::config::{Kind, Provider};

#[tokio::test]
async fn a_server_that_went_away_is_left_alone_for_a_while_and_its_model_is_what_it_was() {
    let down = Scripted::start(|_| Reply::json(500, "{}"));
    let server = Server::settle("far", &Provider::at(Kind::Ollama, &down.url())).unwrap();
    let model = Ollama::new(Arc::new(server), "m");
    let (name, fingerprint) = ("far/m".to_owned(), "f".to_owned());
    let before = Arc::new(Card { name, provider: "far".to_owned(), dimension: 2, fingerprint, max_tokens: None });
    assert_eq!(model.renewed(Arc::clone(&before)).await, before);
    let asked = down.asked().len();
    assert!(asked > 0);
    assert_eq!(model.renewed(Arc::clone(&before)).await, before);
    assert_eq!(down.asked().len(), asked);
}
