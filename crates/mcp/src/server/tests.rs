use std::net::TcpListener;

use serde_json::json;

use super::*;

/// A gateway that takes every request and answers none: nobody ever accepts its connections.
fn silent() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, Client::remote(&url).expect("a client"))
}

fn every_tool() -> Vec<(&'static str, Value)> {
    vec![
        ("list_datasets", json!({})),
        ("get_manifest", json!({ "name": "t" })),
        ("query_sql", json!({ "sql": "SELECT 1" })),
        ("embed_text", json!({ "texts": ["a"] })),
        ("search_vectors", json!({ "index": "i", "vector": [1] })),
        ("search_text", json!({ "index": "i", "text": "a" })),
        ("validate", json!({ "kind": "fill", "artifact": {} })),
        ("history", json!({})),
    ]
}

#[tokio::test]
async fn a_gateway_that_hangs_is_an_answer_that_says_so() {
    let (_gateway, client) = silent();
    assert_eq!(Server::new(client.clone()).patience.as_secs(), 30);
    let server = Server { client, patience: Duration::from_millis(20) };
    for (name, arguments) in every_tool() {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let request = CallToolRequestParams::new(name).with_arguments(arguments);
        let result = server.called(&server.client, request).await.expect("an answer");
        assert_eq!(result.is_error, Some(true), "{name}");
        let Some(ContentBlock::Text(told)) = result.content.first() else { panic!("{name}: a text") };
        assert!(told.text.starts_with("mcp.late\n"), "{name}: {}", told.text);
    }
    assert_eq!(every_tool().len(), tools::all().len());
    assert_eq!(resources::list(&server.client, server.patience).await.len(), 2, "what needs no gateway is listed");
}
