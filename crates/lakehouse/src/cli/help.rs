//! The help of `lakehouse` itself: a short guide, then the commands by what they are for.

use clap::Command;

use crate::exit;

/// What a newcomer types first. A test runs these very lines in an empty directory.
const FIRST_STEPS: &str = r#"First steps, in an empty directory:
  printf 'id,text\n1,Drives a forklift\n2,Bakes bread before dawn\n' > notes.csv
  lakehouse ingest notes notes.csv                 a file becomes a table
  lakehouse sql "SELECT * FROM notes"              SQL asks it
  lakehouse vectors create notes                   its texts become an index (the model is fetched once, 91 MB)
  lakehouse vectors add notes notes.csv
  lakehouse search notes "moves pallets"           found by what it means
  lakehouse mcp --print-config claude-code --lake ./lake
                                                   what it prints, pasted, connects an agent"#;

/// The commands by what they are for.
const GROUPS: &[(&str, &[&str])] = &[
    ("Files, tables and versions", &["ingest", "sql", "catalog"]),
    ("Texts and vectors", &["search", "vectors", "embed"]),
    ("Language models, checked", &["chat", "validate", "iterate", "packs", "extract-json", "evidence"]),
    ("Servers and agents", &["serve", "mcp", "links", "demo"]),
    ("Upkeep", &["compact", "expire", "sweep", "backup", "restore", "relocate"]),
    ("This program", &["doctor", "config", "smoke", "completions", "man"]),
];

/// The same commands, with a guide for a help.
pub fn guided(command: Command) -> Command {
    let groups: Vec<String> = GROUPS.iter().map(|(heading, names)| group(&command, heading, names)).collect();
    let more = "`lakehouse help COMMAND` tells more of a command and shows examples.\n\
                Commands use --gateway URL or --lake DIR; with neither, the gateway at the usual port, else ./lake.";
    let guide = format!("{FIRST_STEPS}\n\n{}\n\n{more}", groups.join("\n\n"));
    let template = format!(
        "{{about-with-newline}}\n{guide}\n\n{{usage-heading}} {{usage}}\n\nOptions:\n{{options}}{{after-help}}"
    );
    command.help_template(template).after_help(exit::HELP)
}

fn group(command: &Command, heading: &str, names: &[&str]) -> String {
    let line = |name: &&str| {
        let about = command.find_subcommand(name).and_then(Command::get_about).map(ToString::to_string);
        format!("  {name:14}{}", about.unwrap_or_default())
    };
    std::iter::once(format!("{heading}:")).chain(names.iter().map(line)).collect::<Vec<_>>().join("\n")
}
