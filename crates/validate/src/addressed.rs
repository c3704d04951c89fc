//! Whom a message addresses: the name behind its greeting.

#[cfg(test)]
mod tests;

/// How messages begin, in lower case.
const GREETINGS: [&str; 8] =
    ["hi", "hello", "hey", "dear", "good morning", "good afternoon", "good evening", "greetings"];
/// What stands where a name could, and is none.
const NOBODY: [&str; 24] = [
    "there",
    "all",
    "everyone",
    "everybody",
    "team",
    "folks",
    "friend",
    "again",
    "sir",
    "madam",
    "candidate",
    "worker",
    "you",
    "thanks",
    "mr",
    "mrs",
    "ms",
    "mx",
    "miss",
    "dr",
    "and",
    "or",
    "hiring",
    "manager",
];
/// Most words of a name.
const WORDS: usize = 4;

/// The name that a message addresses, if it is another than `name`.
pub(crate) fn another_name(body: &str, name: &str) -> Option<String> {
    let addressed = addressed(body)?;
    let known: Vec<String> = words(name).map(str::to_lowercase).collect();
    let is_known = |word: &&str| known.contains(&word.to_lowercase());
    (!addressed.iter().all(is_known)).then(|| addressed.join(" "))
}

/// The words of the name behind the greeting; none where nobody is greeted by name.
fn addressed(body: &str) -> Option<Vec<&str>> {
    let line = after_greeting(body.trim_start())?.lines().next()?;
    let mut named = Vec::new();
    let mut tokens = line.split_whitespace().peekable();
    while let Some(token) = tokens.next() {
        let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
        let closes = closes(token, word) || tokens.peek().is_none();
        // One word before a comma names somebody, capital letter or not.
        let alone = named.is_empty() && closes;
        if !(alone || word.chars().next().is_some_and(char::is_uppercase)) {
            break;
        }
        if !word.is_empty() && !NOBODY.contains(&word.to_lowercase().as_str()) {
            named.push(word);
        }
        if closes || named.len() == WORDS {
            break;
        }
    }
    (!named.is_empty()).then_some(named)
}

/// Whether what follows a word ends the greeting; the dot of a title or an initial does not.
fn closes(token: &str, word: &str) -> bool {
    let short = word.chars().count() == 1 || NOBODY.contains(&word.to_lowercase().as_str());
    match &token[word.len()..] {
        "" => false,
        "." => !short,
        _ => true,
    }
}

/// What follows the greeting on its line.
fn after_greeting(body: &str) -> Option<&str> {
    let follows = |greeting: &&str| {
        let head = body.get(..greeting.len())?;
        let rest = &body[greeting.len()..];
        (head.eq_ignore_ascii_case(greeting) && rest.starts_with(' ')).then_some(rest)
    };
    GREETINGS.iter().find_map(follows)
}

/// The words of a name, without the dots of initials.
fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split([' ', '.']).map(|word| word.trim_matches(['\'', '’', '-'])).filter(|word| !word.is_empty())
}
