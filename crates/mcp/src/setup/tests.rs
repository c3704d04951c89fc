use super::*;

#[test]
fn words_come_back_from_a_shell_as_they_were() {
    let reach = Reach::Lake("/tmp/it's a lake".to_owned());
    let told = setup(Agent::ClaudeCode, "/opt/lakehouse", &reach);
    assert_eq!(told, r"claude mcp add lakehouse -- /opt/lakehouse mcp --lake '/tmp/it'\''s a lake'");
}

#[test]
fn what_is_pasted_is_json() {
    let reach = Reach::Gateway("http://127.0.0.1:3110".to_owned());
    let told: Value = serde_json::from_str(&setup(Agent::ClaudeDesktop, "C:\\lake\"house", &reach)).expect("JSON");
    assert_eq!(told["mcpServers"]["lakehouse"]["command"], "C:\\lake\"house");
}
