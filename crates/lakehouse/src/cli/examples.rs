//! Examples of every command, shown under its help. Tests parse each of them, so none can grow stale unseen.

use clap::Command;

/// Examples by command, as it is typed behind `lakehouse`.
const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "serve",
        &[
            "lakehouse serve                                   everything behind 127.0.0.1:3110, on ./lake",
            "lakehouse serve --lake s3://bucket/prefix --set s3.endpoint=http://127.0.0.1:9000",
            "lakehouse serve --roles catalogd,queryd           those roles alone, each on its own port",
        ],
    ),
    (
        "demo",
        &["lakehouse demo                                    makes ./lake-demo", "lakehouse demo --serve --offline"],
    ),
    (
        "ingest",
        &[
            "lakehouse ingest people people.csv",
            "lakehouse ingest people more.ndjson.gz --mode append --evolve add",
            "lakehouse ingest orders --from-postgres crm \"SELECT * FROM orders\"",
            "lakehouse ingest people - < people.csv            standard input",
        ],
    ),
    (
        "sql",
        &[
            "lakehouse sql \"SELECT COUNT(*) FROM people\"",
            "lakehouse sql \"SELECT * FROM people WHERE id = $1\" --param 7 --as-of 3 --output markdown",
            "lakehouse sql                                     a prompt, with completion and history",
            "lakehouse sql --format ndjson < statements.sql",
        ],
    ),
    ("catalog", &["lakehouse catalog list", "lakehouse catalog history people", "lakehouse catalog diff 7 --from 3"]),
    ("catalog list", &["lakehouse catalog list", "lakehouse catalog list --as-of october --output csv"]),
    ("catalog show", &["lakehouse catalog show people", "lakehouse catalog show people --as-of 3 --json"]),
    ("catalog history", &["lakehouse catalog history people"]),
    (
        "catalog pii",
        &[
            "lakehouse catalog pii people city address",
            "lakehouse catalog pii people city none            nothing personal after all",
        ],
    ),
    ("catalog versions", &["lakehouse catalog versions --output markdown"]),
    (
        "catalog tag",
        &["lakehouse catalog tag october                     the newest version", "lakehouse catalog tag october 7"],
    ),
    ("catalog tags", &["lakehouse catalog tags"]),
    ("catalog untag", &["lakehouse catalog untag october"]),
    ("catalog diff", &["lakehouse catalog diff 7", "lakehouse catalog diff november --from october"]),
    ("catalog rollback", &["lakehouse catalog rollback people october"]),
    ("catalog drop", &["lakehouse catalog drop people"]),
    ("catalog compact", &["lakehouse catalog compact people --dry-run"]),
    ("catalog expire", &["lakehouse catalog expire --older-than 30d --yes"]),
    ("catalog sweep", &["lakehouse catalog sweep --yes"]),
    (
        "compact",
        &[
            "lakehouse compact                                 every dataset",
            "lakehouse compact people --target-size 128MiB",
        ],
    ),
    (
        "expire",
        &[
            "lakehouse expire --older-than 30d                 says what would go",
            "lakehouse expire --older-than 30d --keep-last 100 --yes",
        ],
    ),
    (
        "sweep",
        &["lakehouse sweep                                   says what would go", "lakehouse sweep --grace 2h --yes"],
    ),
    ("backup", &["lakehouse backup ./copy", "lakehouse backup s3://bucket/copy --as-of october --lake ./lake"]),
    ("restore", &["lakehouse restore ./copy --lake ./again"]),
    ("relocate", &["lakehouse relocate --lake ./again"]),
    (
        "embed",
        &[
            "lakehouse embed \"drives a forklift\"               one line: the vector",
            "lakehouse embed --json < lines.txt                one text per line",
        ],
    ),
    (
        "chat",
        &[
            "lakehouse chat --model ollama/llama3.2 \"Say hello\"",
            "lakehouse chat --model corp/gpt-x --system \"Answer in one word.\" < question.txt",
            "lakehouse chat --model llama3.2 --schema '{\"type\": \"object\"}' \"Two welders in Toledo\"",
            "lakehouse chat --model embedded/SmolLM2-135M-Instruct \"Say hello\"",
            "lakehouse chat --providers                        who can be asked",
        ],
    ),
    (
        "validate",
        &[
            "lakehouse validate fill proposal.json --context '{\"target_count\": 2, \"city\": \"Toledo\"}'",
            "lakehouse validate email < message.json",
            "lakehouse validate fill proposal.json --as-of last_month",
        ],
    ),
    (
        "iterate",
        &[
            "lakehouse iterate fill \"Two welders in Toledo\" --model llama3.2 --context '{\"target_count\": 2}' --retrieve",
            "lakehouse iterate fill \"Night shift\" --model ollama/llama3.2 --index skills --where \"state = 'OH'\"",
        ],
    ),
    (
        "packs",
        &[
            "lakehouse packs dry-run certified.json            what it would refuse of what counted lately",
            "lakehouse packs put certified.json                it judges from then on",
        ],
    ),
    ("packs list", &["lakehouse packs list", "lakehouse packs list --as-of october --output csv"]),
    ("packs show", &["lakehouse packs show certified > certified.json"]),
    ("packs put", &["lakehouse packs put certified.json", "lakehouse packs put < certified.json"]),
    ("packs drop", &["lakehouse packs drop certified"]),
    ("packs dry-run", &["lakehouse packs dry-run certified.json --sessions 500"]),
    ("extract-json", &["lakehouse extract-json < answer.txt"]),
    (
        "search",
        &[
            "lakehouse search skills \"moves pallets in a warehouse\" -k 5",
            "lakehouse search skills \"MIG welding\" --mode hybrid --output json",
            "lakehouse search skills \"bakes bread\" --filter '{\"state\": \"OH\", \"rate\": {\"gte\": 18}}'",
            "lakehouse sql \"SELECT * FROM vector_search('skills', 'moves pallets', 5)\"",
        ],
    ),
    (
        "vectors",
        &[
            "lakehouse vectors create skills                   for texts, with the default model",
            "lakehouse vectors add skills skills.csv           columns: id, text, and metadata as you like",
            "lakehouse vectors list",
        ],
    ),
    (
        "vectors create",
        &[
            "lakehouse vectors create skills                   for texts, with the default model",
            "lakehouse vectors create points --dimension 3 --distance euclidean",
        ],
    ),
    ("vectors list", &["lakehouse vectors list --output csv"]),
    ("vectors show", &["lakehouse vectors show skills"]),
    (
        "vectors add",
        &[
            "lakehouse vectors add skills skills.csv           columns: id, text, and metadata as you like",
            "lakehouse vectors add skills skills.csv --no-keep-text",
            "lakehouse vectors add points points.ndjson        {\"id\": \"a\", \"vector\": [1, 2, 3], \"city\": \"Toledo\"}",
        ],
    ),
    ("vectors seal", &["lakehouse vectors seal skills"]),
    ("vectors recall", &["lakehouse vectors recall skills --sample 200 -k 10"]),
    ("vectors merge", &["lakehouse vectors merge new_skills skills --clear-source"]),
    ("vectors get", &["lakehouse vectors get skills skill-01"]),
    (
        "vectors remove",
        &[
            "lakehouse vectors remove skills skill-01 skill-02",
            "lakehouse vectors remove skills --filter '{\"city\": {\"prefix\": \"Li\"}}'",
        ],
    ),
    ("vectors delete", &["lakehouse vectors delete skills"]),
    ("evidence", &["lakehouse evidence tail sessions -n 5", "lakehouse evidence import runs runs.jsonl"]),
    ("evidence import", &["lakehouse evidence import runs runs.jsonl", "lakehouse evidence import runs < runs.jsonl"]),
    (
        "evidence tail",
        &[
            "lakehouse evidence tail                           the last 20 sessions",
            "lakehouse evidence tail runs -n 100 --follow --gateway http://127.0.0.1:3110",
            "lakehouse evidence tail runs --output csv",
        ],
    ),
    (
        "mcp",
        &[
            "lakehouse mcp --gateway http://127.0.0.1:3110     speak MCP; agents start this by themselves",
            "lakehouse mcp --lake ./lake-demo                  the same on a lake that nobody serves",
            "lakehouse mcp --print-config claude-code          what to paste, so that an agent starts it",
        ],
    ),
    ("config", &["lakehouse config check --config lakehouse.toml"]),
    ("config check", &["lakehouse config check --config lakehouse.toml"]),
    ("config show", &["lakehouse config show --set queryd.timeout=10s --output markdown"]),
    ("doctor", &["lakehouse doctor", "lakehouse doctor --lake s3://bucket/prefix --json"]),
    ("smoke", &["lakehouse smoke all", "lakehouse smoke d3 g1", "lakehouse smoke d2 --s3 s3://bucket/prefix"]),
    ("links", &["lakehouse links bin/"]),
    (
        "completions",
        &[
            "lakehouse completions bash > ~/.local/share/bash-completion/completions/lakehouse",
            "lakehouse completions zsh > ~/.zfunc/_lakehouse",
            "lakehouse completions fish > ~/.config/fish/completions/lakehouse.fish",
        ],
    ),
    ("man", &["lakehouse man | man -l -", "lakehouse man --dir ~/.local/share/man/man1"]),
];

/// The same commands with their examples under their help.
pub fn beside(command: Command) -> Command {
    command.mut_subcommands(|below| to(below, ""))
}

fn to(command: Command, above: &str) -> Command {
    let path = format!("{above}{}", command.get_name());
    let below = format!("{path} ");
    let command = match EXAMPLES.iter().find(|(of, _)| *of == path) {
        Some((_, examples)) => command.after_help(format!("Examples:\n  {}", examples.join("\n  "))),
        None => command,
    };
    command.mut_subcommands(|under| to(under, &below))
}
