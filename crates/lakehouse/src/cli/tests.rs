//! The whole tree of commands: each has an example that parses, and a place in the help.

use std::process::Command as Process;

use clap::Command;

use super::{Form, command};

/// Every command below `lakehouse`, as it is typed.
fn walk(command: &Command, above: &str, found: &mut Vec<(String, Command)>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let path = format!("{above} {}", below.get_name());
        walk(below, &path, found);
        found.push((path, below.clone()));
    }
}

fn commands() -> Vec<(String, Command)> {
    let (mut top, mut found) = (command(), Vec::new());
    top.build();
    walk(&top, "lakehouse", &mut found);
    found
}

/// The lines of examples in a help, without what is said behind them.
fn examples(help: &str) -> Vec<String> {
    let typed = help.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| line.starts_with("lakehouse "));
    typed.map(|line| line.split("   ").next().unwrap_or(line).to_owned()).collect()
}

/// The words of a command line, as a shell reads them up to the first redirection.
fn words(line: &str) -> Vec<String> {
    let typed = [" < ", " > ", " | "].iter().fold(line, |line, sign| line.split(sign).next().unwrap_or(line));
    let printed =
        Process::new("sh").arg("-c").arg(format!("lakehouse() {{ printf '%s\\n' \"$@\"; }}; {typed}")).output();
    let printed = printed.expect("a shell").stdout;
    let words = String::from_utf8(printed).expect("text");
    std::iter::once("lakehouse").chain(words.lines()).map(str::to_owned).collect()
}

#[test]
fn every_command_has_an_example_of_itself() {
    for (path, command) in commands() {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let shown = examples(&help).iter().any(|line| format!("{line} ").starts_with(&format!("{path} ")));
        let is_part = command.has_subcommands() && !examples(&help).is_empty();
        assert!(shown || is_part, "{path} has no example: write one in cli/examples.rs");
        let told = command.clone().render_help().to_string();
        assert!(told.contains("Examples:\n"), "the help of {path} shows no example");
    }
}

#[test]
fn every_example_is_understood() {
    let helps = commands().into_iter().filter_map(|(_, command)| Some(command.get_after_help()?.to_string()));
    let top = command().render_help().to_string();
    let mut understood = 0;
    for line in helps.chain([top]).flat_map(|help| examples(&help)) {
        let parsed = command().try_get_matches_from(words(&line));
        assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
        understood += 1;
    }
    assert!(understood > 80, "only {understood} examples were found");
}

#[test]
fn every_command_stands_in_the_help() {
    let help = command().render_help().to_string();
    for below in command().get_subcommands().filter(|below| below.get_name() != "help") {
        let (name, about) = (below.get_name(), below.get_about().expect("a sentence"));
        let line = format!("  {name:14}{about}\n");
        assert_eq!(help.matches(&line).count(), 1, "{name} belongs into one group of cli/help.rs\n{help}");
    }
    assert!(help.contains("Exit codes: 0 done"), "{help}");
}

#[test]
fn the_tree_holds_together() {
    command().debug_assert();
}

#[test]
fn one_switch_says_the_form() {
    let form = |arguments: &[&str]| {
        let given = ["lakehouse", "catalog", "list"].iter().chain(arguments).map(|word| (*word).into());
        super::Cli::of(given.collect()).shared.form()
    };
    assert_eq!(form(&[]), None);
    assert_eq!(form(&["--json"]), Some(Form::Json));
    assert_eq!(form(&["--output", "json"]), Some(Form::Json));
    assert_eq!(form(&["-o", "csv"]), Some(Form::Csv));
    assert_eq!(form(&["-o", "markdown"]), Some(Form::Markdown));
    let both = command().try_get_matches_from(["lakehouse", "catalog", "list", "--json", "-o", "csv"]);
    assert!(both.is_err());
}
