use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use super::layer::Origin;
use super::*;

/// An empty secrets file, so that no test reads the machine's own.
static NO_SECRETS: LazyLock<(tempfile::TempDir, std::path::PathBuf)> = LazyLock::new(|| file("secrets", "", 0o600));

fn sources<const N: usize>(variables: [(&str, &str); N], set: &[&str]) -> Sources {
    let (_, no_secrets) = &*NO_SECRETS;
    let environment = Environment::from(variables).with("LAKEHOUSE_SECRETS", &no_secrets.display().to_string());
    Sources { set: set.iter().map(|one| (*one).to_owned()).collect(), environment, ..Sources::default() }
}

#[expect(clippy::disallowed_methods, reason = "a test lays its files by hand")]
fn file(name: &str, text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    std::fs::write(&path, text).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    (directory, path)
}

fn faults(sources: &Sources) -> Vec<String> {
    settle(sources).expect_err("there are faults").0
}

#[test]
fn later_layers_win_and_remember_where_they_came_from() {
    let (_kept, path) =
        file("lake.toml", "[queryd]\ntimeout = \"1s\"\nmemory_limit = \"1MiB\"\nmax_rows_default = 5\n", 0o644);
    let mut given = sources(
        [("LAKEHOUSE__QUERYD__TIMEOUT", "2s"), ("LAKEHOUSE__QUERYD__MEMORY_LIMIT", "2MiB")],
        &["queryd.timeout=3s", "queryd.threads=2"],
    );
    given.file = Some(path.clone());
    let settled = settle(&given).expect("right");
    let queryd = &settled.config.queryd.settings;
    assert_eq!(queryd.timeout, base::Span::secs(3));
    assert_eq!(queryd.memory_limit, base::ByteSize::mib(2));
    assert_eq!(queryd.max_rows_default, 5);
    assert_eq!(queryd.threads, Some(2));
    assert_eq!(settled.origin("queryd.timeout"), &Origin::Option("--set"));
    assert_eq!(settled.origin("queryd.memory_limit").to_string(), "$LAKEHOUSE__QUERYD__MEMORY_LIMIT");
    assert_eq!(settled.origin("queryd.max_rows_default"), &Origin::File(path));
    assert_eq!(settled.origin("gateway.bind"), &Origin::Default);
}

#[test]
fn all_faults_are_reported_together() {
    let given = sources(
        [("LAKEHOUSE__QUERYD__TIMEOUT", "soon")],
        &["queryd.memory_limt=1GiB", "gateway.bind=nowhere", "upstreams.queryd=127.0.0.1:3214", "plain"],
    );
    let told = faults(&given);
    assert_eq!(told.len(), 5, "{told:#?}");
    let says =
        |parts: &[&str]| assert!(told.iter().any(|one| parts.iter().all(|part| one.contains(part))), "{parts:?}");
    says(&["queryd.timeout", "$LAKEHOUSE__QUERYD__TIMEOUT", "duration"]);
    says(&["queryd.memory_limt", "no such key", "queryd.memory_limit"]);
    says(&["gateway.bind", "127.0.0.1:3110"]);
    says(&["upstreams.queryd", "no scheme"]);
    says(&["--set plain", "section.key=value"]);
}

#[test]
fn hosts_and_upstreams_that_can_never_be_met_are_refused() {
    for setting in [
        r#"gateway.allowed_hosts=[""]"#,
        r#"gateway.allowed_hosts=["http://lake.example"]"#,
        r#"gateway.allowed_hosts=["*"]"#,
        r#"gateway.allowed_hosts=["lake.example:x"]"#,
        "upstreams.queryd=http://127.0.0.1:3214?a=1",
    ] {
        assert_eq!(faults(&sources([], &[setting])).len(), 1, "{setting}");
    }
    let right = r#"gateway.allowed_hosts=["lake.example", "lake.example:8443", "10.0.0.1", "[2001:db8::1]:80"]"#;
    assert!(settle(&sources([], &[right])).is_ok());
}

#[test]
fn what_is_bound_to_every_address_is_reached_over_loopback() {
    for (bound, url) in [
        ("0.0.0.0:3110", "http://127.0.0.1:3110"),
        ("[::]:3110", "http://[::1]:3110"),
        ("127.0.0.2:3110", "http://127.0.0.2:3110"),
        ("10.0.0.1:3110", "http://10.0.0.1:3110"),
    ] {
        assert_eq!(super::url_of(bound.parse().expect("an address")), url);
    }
}

#[test]
fn a_given_file_must_be_there_and_be_toml() {
    let missing = Sources { file: Some("/nonexistent/lake.toml".into()), ..sources([], &[]) };
    assert!(faults(&missing)[0].contains("/nonexistent/lake.toml"));
    let (_kept, path) = file("lake.toml", "[queryd\n", 0o644);
    assert!(faults(&Sources { file: Some(path), ..sources([], &[]) })[0].contains("lake.toml"));
}

#[test]
fn values_may_stand_in_variables_and_files() {
    let (_kept, path) = file("key", "s3cret\n", 0o600);
    let secret = format!("s3.secret_access_key=${{file:{}}}", path.display());
    let given = sources([("WHO", "me")], &["s3.access_key_id=id-${env:WHO}", &secret]);
    let s3 = settle(&given).expect("right").config.s3;
    assert_eq!(s3.access_key_id, "id-me");
    assert_eq!(s3.secret_access_key.expose(), "s3cret");
    let told =
        faults(&sources([], &["s3.region=${env:NOBODY}", "s3.endpoint=${file:/nonexistent}", "lake.location=${x"]));
    assert_eq!(told.len(), 3, "{told:#?}");
}

#[test]
fn secrets_are_read_when_kept_well_and_never_shown() {
    let text = "[s3.primary]\naccess_key_id = \"a\"\nsecret_access_key = \"s3cret\"\n[other]\nx = 1\n";
    let (_kept, path) = file("secrets.toml", text, 0o600);
    let at = |path: &std::path::Path| {
        let mut given = sources([], &[]);
        given.environment = given.environment.with("LAKEHOUSE_SECRETS", &path.display().to_string());
        given
    };
    let settled = settle(&at(&path)).expect("right");
    assert_eq!(settled.config.s3.secret_access_key.expose(), "s3cret");
    assert!(!format!("{:?}", settled.config.entries().expect("plain")).contains("s3cret"));
    assert!(!format!("{settled:?}").contains("s3cret"));
    let (_open, path) = file("secrets.toml", text, 0o644);
    assert!(faults(&at(&path))[0].contains("every user"));
}

#[test]
fn faults_do_not_repeat_secrets() {
    let (_kept, typed) = file("lake.toml", "[s3]\nsecret_access_key = 12345678\n", 0o644);
    let (_kept, torn) = file("lake.toml", "[s3]\nregion = \"x\"\nsecret_access_key = \"12345678\n", 0o644);
    for path in [typed, torn] {
        let told = faults(&Sources { file: Some(path), ..sources([], &[]) });
        assert!(told.len() == 1 && !told[0].contains("12345678"), "{told:?}");
        assert!(told[0].contains("s3.secret_access_key") || told[0].contains("line 3"), "{told:?}");
    }
    for setting in [
        "s3.secret_access_key:12345678",
        "upstreams.queryd=http://user:12345678@host:1",
        "upstreams.queryd=user:12345678@host:1",
        "s3.endpoint=http://user:12345678@host:1",
        "models.hub_url=http://user:12345678@host:1",
        "auth.secondary_tokens=12345678",
        "auth.secondary_tokens=t12345678",
        "auth.tokens=t12345678",
        "auth.tokens=[\"t12345678\"]",
        "auth.tokens=[{t12345678 = 1}]",
        "auth.tokens=[{name = \"n\", token = \"x\", scopes = [\"t12345678\"]}]",
    ] {
        let told = faults(&sources([], &[setting]));
        assert!(told.len() == 1 && !told[0].contains("12345678"), "{told:?}");
    }
}

#[test]
fn a_wrong_item_of_a_list_is_told_by_its_place_and_field() {
    let good = r#"{name = "a", token = "t12345678", scopes = ["read"]}"#;
    for (setting, says) in [
        (r#"auth.tokens=[{token = "t12345678", scopes = ["read"]}]"#.to_owned(), "item 1: missing field `name`"),
        (format!(r#"auth.tokens=[{good}, {{name = "b", scopes = []}}]"#), "item 2: missing field `token`"),
        (format!(r#"auth.tokens=[{good}, {{name = "b", token = 12345678, scopes = []}}]"#), "item 2, token: a secret"),
        (r#"auth.tokens=[{name = "a", token = "t12345678", scopes = ["raed"]}]"#.to_owned(), "item 1, scopes: "),
        (
            r#"auth.tokens=["t12345678"]"#.to_owned(),
            "item 1: the value is not what this key takes, which is a table of",
        ),
        ("gateway.allowed_hosts=[\"x\", 1]".to_owned(), "item 2: invalid type: integer `1`"),
    ] {
        let told = faults(&sources([], &[&setting]));
        assert!(told.len() == 1 && told[0].contains(says) && !told[0].contains("12345678"), "{says}: {told:?}");
    }
}

#[test]
fn databases_that_could_not_be_asked_are_faults() {
    let url = "ingestd.postgres.crm.url=postgres://ada@db/crm?sslmode=";
    let settled = settle(&sources([], &[&format!("{url}require"), "ingestd.postgres.crm.timeout=3s"])).expect("right");
    assert_eq!(settled.config.ingestd.settings.postgres["crm"].timeout, base::Span::secs(3));
    let pem = "ingestd.postgres.crm.authorities=none";
    let verified = format!("{url}verify-full");
    for (set, key) in [
        (&["ingestd.postgres.crm.timeout=3s"][..], "ingestd.postgres.crm.url"),
        (&[&format!("{url}verify-ca")], "ingestd.postgres.crm.url"),
        (&[&format!("{url}require"), pem], "ingestd.postgres.crm.authorities"),
        (&[&verified, pem], "ingestd.postgres.crm.authorities"),
    ] {
        let told = faults(&sources([], set));
        assert!(told.len() == 1 && told[0].starts_with(key) && !told[0].contains("ada"), "{key}: {told:?}");
    }
}

#[test]
fn a_secrets_file_that_is_named_must_be_there() {
    let mut given = sources([], &[]);
    given.environment = given.environment.with("LAKEHOUSE_SECRETS", "/nonexistent/secrets.toml");
    assert!(faults(&given)[0].contains("/nonexistent/secrets.toml"));
}

#[test]
fn numbers_that_no_lake_could_work_with_are_faults() {
    for setting in [
        "gateway.concurrent_requests=0",
        "gateway.concurrent_requests=9223372036854775807",
        "gateway.waiting_requests=1000001",
        "gateway.json_limit=0",
        "gateway.deadline=0s",
        "gateway.drain=1000years",
        "storaged.concurrent_puts=0",
        "storaged.object_limit=0",
        "ingestd.concurrent_loads=0",
        "ingestd.concurrent_loads=17",
        "ingestd.max_ingest_bytes=0",
        "catalogd.checkpoint_every=0",
        "queryd.threads=0",
        "queryd.threads=1000000",
        "queryd.timeout=0s",
        "queryd.timeout=1000years",
        "queryd.memory_limit=0",
        "queryd.max_rows_limit=0",
        "queryd.max_rows_default=200000",
        "gateway.connections=0",
        "gateway.header_timeout=0s",
        "embedd.max_texts=0",
        "embedd.timeout=0s",
        "vectord.max_dimension=0",
        "vectord.max_batch_items=0",
        "gateway.bind=0.0.0.0:3110",
        "queryd.bind=[::]:3214",
    ] {
        let told = faults(&sources([], &[setting]));
        let name = setting.split('.').next().expect("a section");
        assert!(told[0].contains(name), "{setting}: {told:?}");
    }
    let at_the_edge = [
        "gateway.waiting_requests=0",
        "gateway.drain=0s",
        "queryd.threads=1",
        "queryd.max_rows_default=100000",
        "embedd.cache_size=0",
    ];
    settle(&sources([], &at_the_edge)).expect("these work");
}

#[test]
fn the_lake_is_named_by_option_variable_or_file() {
    let lake = |sources: &Sources| settle(sources).expect("right").config.lake.location;
    assert_eq!(lake(&sources([], &[])), "./lake");
    assert_eq!(lake(&sources([("LAKEHOUSE_LAKE", "/a")], &[])), "/a");
    let named =
        Sources { lake: Some("s3://b/p".to_owned()), ..sources([("LAKEHOUSE_LAKE", "/a")], &["lake.location=/b"]) };
    assert_eq!(lake(&named), "s3://b/p");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the page lies in the checkout, not in a lake")]
fn config_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/config.md");
    let page = page::render();
    if Environment::of_process().get("UPDATE_CONFIG_PAGE").is_some() {
        std::fs::write(path, &page).expect("written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == page, "docs/config.md is stale: UPDATE_CONFIG_PAGE=1 cargo test --package lakehouse config_page");
}

#[test]
fn the_commented_reference_names_only_known_keys() {
    let reference = include_str!("../../../../lakehouse.toml");
    let active: String =
        reference.lines().map(|line| format!("{}\n", line.strip_prefix("#= ").unwrap_or(line))).collect();
    let (_kept, path) = file("lake.toml", &active, 0o644);
    settle(&Sources { file: Some(path), ..sources([], &[]) }).expect("the reference holds");
}

#[test]
fn providers_are_named_by_the_person() {
    let text = "[models.providers.mine]\nkind = \"openai\"\nurl = \"http://127.0.0.1:9\"\napi_key = \"${env:KEY}\"\n";
    let (_kept, path) = file("lake.toml", text, 0o644);
    let mut given = sources([("KEY", "s3cret")], &["models.providers.mine.timeout=3s"]);
    given.file = Some(path);
    let settled = settle(&given).expect("right");
    let provider = &settled.config.models.providers["mine"];
    assert_eq!((provider.api_key.expose(), provider.timeout), ("s3cret", base::Span::secs(3)));
    assert!(!format!("{:?}", settled.config.entries().expect("plain")).contains("s3cret"));
    let told = faults(&sources([], &["models.providers.half.kind=sibyl", "models.providers.half.ulr=x"]));
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("models.providers.half.ulr") && told[0].contains("<name>.url"), "{told:#?}");
    assert!(told[1].contains("models.providers.half.kind") && told[1].contains("ollama"), "{told:#?}");
    let told = faults(&sources([], &["models.providers.half.kind=ollama"]));
    assert!(told[0].contains("models.providers.half.url"), "{told:#?}");
}

#[test]
fn the_token_comes_from_the_settings_a_file_or_a_variable() {
    let token = |sources: &Sources| settle(sources).expect("right").config.auth.token;
    let expose = |sources: &Sources| token(sources).map(|token| token.expose().to_owned()).unwrap_or_default();
    let (_kept, path) = file("token", "from-the-file-0123\n", 0o600);
    let named = format!("auth.token_file={}", path.display());
    assert_eq!(token(&sources([], &[])), None);
    assert_eq!(expose(&sources([("AUTH_TOKEN", "from-a-variable")], &[])), "from-a-variable");
    assert_eq!(expose(&sources([("OTHER", "from-the-other-one")], &["auth.token_env=OTHER"])), "from-the-other-one");
    assert_eq!(expose(&sources([("AUTH_TOKEN", "from-a-variable")], &[&named])), "from-the-file-0123");
    assert_eq!(expose(&sources([], &[&named, "auth.token=from-the-settings"])), "from-the-settings");
    for (text, mode) in [("", 0o600), ("from-the-file-0123", 0o604)] {
        let (_kept, path) = file("token", text, mode);
        let told = faults(&sources([], &[&format!("auth.token_file={}", path.display())]));
        assert!(told[0].contains("auth.token_file") && !told[0].contains("from-the-file"), "{told:?}");
    }
    assert!(faults(&sources([], &["auth.token_file=/nonexistent"]))[0].contains("auth.token_file"));
}

#[test]
fn the_secrets_file_may_hold_tokens_and_keys() {
    let text = "[auth]\ntoken = \"primary-0123456789\"\nsecondary_tokens = [\"older-0123456789\"]\n\
                [models.providers.mine]\napi_key = \"s3cret\"\n";
    let (_kept, path) = file("secrets.toml", text, 0o600);
    let mut given = sources([], &["models.providers.mine.kind=openai", "models.providers.mine.url=http://127.0.0.1:9"]);
    given.environment = given.environment.with("LAKEHOUSE_SECRETS", &path.display().to_string());
    let settled = settle(&given).expect("right");
    let auth = &settled.config.auth;
    assert_eq!(auth.token.as_ref().map(storage::Secret::expose), Some("primary-0123456789"));
    assert_eq!(auth.secondary_tokens.len(), 1);
    assert_eq!(settled.config.models.providers["mine"].api_key.expose(), "s3cret");
    let shown = format!("{:?}", settled.config.entries().expect("plain"));
    for secret in ["primary-0123456789", "older-0123456789", "s3cret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_secrets_file_that_would_be_passed_over_is_refused() {
    for (text, meant) in [
        ("[auth]\ntokn = \"s3cret\"\n", "token"),
        ("[auth]\nallowed_ips = [\"10.0.0.0/8\"]\n", "auth.allowed_ips"),
        ("[auht]\ntoken = \"s3cret\"\n", "[auth]"),
        ("token = \"s3cret\"\n", "[auth]"),
        ("[models.providers.mine]\nkey = \"s3cret\"\n", "api_key"),
    ] {
        let (_kept, path) = file("secrets.toml", text, 0o600);
        let mut given = sources([], &[]);
        given.environment = given.environment.with("LAKEHOUSE_SECRETS", &path.display().to_string());
        let told = faults(&given);
        assert!(told.len() == 1 && told[0].contains(meant) && !told[0].contains("s3cret"), "{text}: {told:?}");
    }
}

#[test]
fn outside_loopback_a_role_needs_a_token_and_its_variable() {
    let bind = "vectord.bind=0.0.0.0:3215";
    let (token, leave) = ("auth.token=correct-horse-battery", ("LH_VECTORD_ALLOW_NONLOOPBACK", "1"));
    let says = |given: &Sources| {
        let told = faults(given);
        for part in ["0.0.0.0:3215", "vectord", "LH_VECTORD_ALLOW_NONLOOPBACK", "token"] {
            assert!(told[0].contains(part), "{part} is missing in {told:?}");
        }
    };
    says(&sources([], &[bind]));
    says(&sources([leave], &[bind]));
    says(&sources([], &[bind, token]));
    says(&sources([("LH_VECTORD_ALLOW_NONLOOPBACK", "yes")], &[bind, token]));
    says(&sources([("LH_QUERYD_ALLOW_NONLOOPBACK", "1")], &[bind, token]));
    settle(&sources([leave], &[bind, token])).expect("both are there");
}

#[test]
fn derived_files_go_to_the_users_cache_directory() {
    let places = |sources: &Sources| {
        let config = settle(sources).expect("right").config;
        (config.cache_dir().display().to_string(), config.models.cache_dir.expect("settled").display().to_string())
    };
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path().display().to_string();
    let below = format!("{home}/.cache/lakehouse");
    assert_eq!(places(&sources([("HOME", &home)], &[])), (below.clone(), format!("{below}/models")));
    let none = format!("{home}/none");
    assert!(!places(&sources([("HOME", &none)], &[])).0.contains(&home));
    assert_eq!(places(&sources([("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], &[])).0, "/x/lakehouse");
    assert_eq!(places(&sources([("HOME", "/h")], &["cache.dir=/c"])), ("/c".to_owned(), "/c/models".to_owned()));
    assert_eq!(places(&sources([("HOME", "/h")], &["models.cache_dir=/m"])).1, "/m");
}
