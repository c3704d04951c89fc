use super::*;

async fn all(name: &str, text: &str) -> anyhow::Result<Vec<Item>> {
    let mut items = Items::of(Path::new(name), text.as_bytes()).await?;
    let mut found = Vec::new();
    while let Some(item) = items.next().await? {
        found.push(item);
    }
    Ok(found)
}

async fn fault(name: &str, text: &str) -> String {
    format!("{:#}", all(name, text).await.expect_err("a fault"))
}

#[tokio::test]
async fn rows_become_items_with_their_lines() {
    let csv = "\u{feff}id,text,city,note\r\na,\"says \"\"hello\"\",\nand goes\",Toledo,\r\n\r\n007,bakes,,x\r\n";
    let found = all("x.csv", csv).await.expect("items");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].content, Content::Text("says \"hello\",\nand goes".to_owned()));
    assert_eq!(found[0].metadata["city"], "Toledo");
    assert!(!found[0].metadata.contains_key("note"));
    assert_eq!(found[0].line, 2);
    assert_eq!((found[1].id.as_str(), found[1].line), ("007", 5));
    assert_eq!(found[1].metadata["text"], "bakes");
}

#[tokio::test]
async fn objects_keep_their_types() {
    let lines = "{\"id\": \"a\", \"vector\": [1, 2.5], \"rate\": 18, \"metadata\": {\"city\": \"Lima\"}}\n{\"id\": 7, \"text\": \"x\"}";
    let found = all("x.ndjson", lines).await.expect("items");
    assert_eq!(found[0].content, Content::Vector(vec![1.0, 2.5]));
    assert_eq!(Value::Object(found[0].metadata.clone()), serde_json::json!({ "rate": 18, "city": "Lima" }));
    assert_eq!(found[1].id, "7");
}

#[tokio::test]
async fn vectors_stand_in_csv_as_lists() {
    let found = all("X.CSV", "id,vector\na,\"[1,2]\"\n").await.expect("items");
    assert_eq!(found[0].content, Content::Vector(vec![1.0, 2.0]));
}

#[tokio::test]
async fn faults_name_the_line() {
    for (name, text, said) in [
        ("x.csv", "id,text\na,b,c\n", "line 2: has 3 fields, and the header 2"),
        ("x.csv", "id,text\na,\n", "line 2: has neither a text nor a vector"),
        ("x.csv", "text\nb\n", "line 2: has no id"),
        ("x.csv", "", "the file is empty"),
        ("x.csv", "id,text,text\na,b,c\n", "the header names \"text\" twice"),
        ("x.csv", "id,\"text\na,b\n", "the header has a quote that is not closed"),
        ("x.csv", "id,text\na,\"b\nc\n", "line 2: has a quote that is not closed"),
        (
            "x.ndjson",
            "{\"id\": \"a\", \"text\": \"x\"}\nnonsense\n",
            "line 2: is no JSON object that can be kept: expected ident at line 1 column 2",
        ),
        ("x.ndjson", "{\"id\": \"a\", \"text\": \"x\", \"vector\": [1]}\n", "line 1: has both a text and a vector"),
        ("x.ndjson", "{\"id\": \"a\", \"vector\": \"no\"}\n", "line 1: has a vector that is no list of numbers"),
    ] {
        assert_eq!(fault(name, text).await, said);
    }
}

#[tokio::test]
async fn a_record_without_an_end_is_refused_before_memory_is_full() {
    let endless = tokio::io::AsyncReadExt::chain(&b"id,text\na,\"x\n"[..], tokio::io::repeat(b'x'));
    let mut items = Items::of(Path::new("x.csv"), endless).await.expect("a header");
    assert_eq!(
        format!("{:#}", items.next().await.expect_err("a fault")),
        "line 3: a record is longer than 16 MiB, or a quote is not closed"
    );
}

#[tokio::test]
async fn a_quoted_header_may_follow_a_byte_order_mark_and_the_mark_may_stand_in_cells() {
    let found = all("x.csv", "\u{feff}\"id\",text\na,x\u{feff}y\n").await.expect("items");
    assert_eq!(found[0].content, Content::Text("x\u{feff}y".to_owned()));
}
