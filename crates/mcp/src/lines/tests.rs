use tokio::io::AsyncReadExt;

use super::*;

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;

/// What is answered before and after the messages that come through, and how many those are.
async fn answers(input: &[u8]) -> (Vec<Value>, usize) {
    let (output, mut heard) = tokio::io::duplex(1 << 20);
    let mut lines = Lines::new(input, output);
    let mut messages = 0;
    while lines.receive().await.is_some() {
        messages += 1;
    }
    drop(lines);
    let mut said = String::new();
    heard.read_to_string(&mut said).await.expect("text");
    (said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(), messages)
}

#[tokio::test]
async fn what_is_no_message_is_answered_and_the_next_one_comes_through() {
    let deep = "[".repeat(10_000);
    for (line, code, id) in [
        (&b"{bad json"[..], -32700, Value::Null),
        (b"\xff\xfe", -32700, Value::Null),
        (deep.as_bytes(), -32700, Value::Null),
        (b"[]", -32600, Value::Null),
        (br#"{"foo":"bar"}"#, -32600, Value::Null),
        (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, -32600, Value::Null),
        (br#"{"jsonrpc":"1.0","id":9,"method":"ping"}"#, -32600, json!(9)),
    ] {
        let (said, messages) = answers(&[line, b"\n\r\n", PING, b"\n"].concat()).await;
        let told: Vec<_> = said.iter().map(|answer| (&answer["error"]["code"], answer.get("id"))).collect();
        assert_eq!(told, [(&json!(code), Some(&id))], "{}", String::from_utf8_lossy(line));
        assert_eq!(messages, 1);
    }
}

#[tokio::test]
async fn the_last_line_needs_no_end() {
    assert_eq!(answers(PING).await, (vec![], 1));
    let (said, messages) = answers(b"{").await;
    assert_eq!((&said[0]["error"]["code"], messages), (&json!(-32700), 0));
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_once() {
    let long = vec![b' '; 3 * LONGEST];
    let (said, messages) = answers(&[&long, &b"\n"[..], PING, b"\n", PING].concat()).await;
    let told: Vec<_> = said.iter().map(|answer| (&answer["error"]["code"], answer.get("id"))).collect();
    assert_eq!(told, [(&json!(-32600), Some(&Value::Null))]);
    assert_eq!(messages, 2);
}

#[tokio::test]
async fn calls_that_are_dropped_lose_nothing_and_say_nothing_twice() {
    let (input, mut agent) = tokio::io::duplex(64);
    let (output, mut heard) = tokio::io::duplex(1);
    let mut lines = Lines::new(input, output);
    agent.write_all(&[b"{bad\n", PING].concat()).await.expect("written");
    let dropped = tokio::select! {
        biased;
        message = lines.receive() => message,
        () = std::future::ready(()) => None,
    };
    assert!(dropped.is_none());
    agent.write_all(b"\n").await.expect("written");
    let mut said = Vec::new();
    let (message, _) = tokio::join!(lines.receive(), async {
        let mut byte = [0];
        while heard.read_exact(&mut byte).await.is_ok() && byte != *b"\n" {
            said.push(byte[0]);
        }
    });
    assert!(message.is_some());
    let said: Value = serde_json::from_slice(&said).expect("one answer");
    assert_eq!(said["error"]["code"], -32700);
}
