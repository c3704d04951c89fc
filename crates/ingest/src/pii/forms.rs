//! Forms that personal data is written in.

use catalog::Pii;

type Form = (Pii, fn(&str) -> bool);

/// The forms that tell by themselves what a value is.
pub const FORMS: [Form; 4] =
    [(Pii::Email, is_email), (Pii::Ssn, is_ssn), (Pii::Phone, is_phone), (Pii::Address, is_street)];

/// Ways, as English writes them: behind a number and a name.
const ENGLISH_WAYS: [&str; 26] = [
    "street",
    "st",
    "avenue",
    "ave",
    "road",
    "rd",
    "boulevard",
    "blvd",
    "lane",
    "ln",
    "drive",
    "dr",
    "court",
    "ct",
    "place",
    "pl",
    "way",
    "terrace",
    "parkway",
    "pkwy",
    "highway",
    "hwy",
    "square",
    "circle",
    "crescent",
    "close",
];
/// Ways that stand before their name: French, Spanish, Italian, Portuguese, Polish.
const WAYS_BEFORE: [&str; 24] = [
    "rue",
    "avenue",
    "boulevard",
    "place",
    "chemin",
    "allée",
    "quai",
    "impasse",
    "route",
    "calle",
    "c/",
    "avenida",
    "avda",
    "plaza",
    "paseo",
    "via",
    "viale",
    "piazza",
    "corso",
    "rua",
    "travessa",
    "ul",
    "ulica",
    "al",
];
/// Endings of German and Dutch ways; a number follows.
const WAY_ENDINGS: [&str; 14] = [
    "straße", "strasse", "str", "gasse", "weg", "platz", "allee", "damm", "ufer", "ring", "straat", "laan", "plein",
    "gracht",
];

/// `someone@example.org`, in any script.
fn is_email(value: &str) -> bool {
    let Some((local, domain)) = value.rsplit_once('@') else { return false };
    let plain = |char: char| !char.is_whitespace() && !matches!(char, '<' | '>' | ',' | ';' | '(' | ')' | '@');
    let label = |label: &str| !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || char == '-');
    let top = domain.rsplit_once('.').map(|(_, top)| top);
    (1..=64).contains(&local.len())
        && local.chars().all(plain)
        && domain.split('.').all(label)
        && top.is_some_and(|top| top.chars().count() >= 2 && top.chars().any(char::is_alphabetic))
}

/// `219-09-9999` in the United States, `QQ 12 34 56 C` in the United Kingdom, `046-454-286` in Canada.
fn is_ssn(value: &str) -> bool {
    let groups: Vec<&str> = value.split(['-', ' ']).collect();
    let digits = |group: &str, count: usize| group.len() == count && group.bytes().all(|byte| byte.is_ascii_digit());
    match groups[..] {
        [area, group, serial] if digits(area, 3) && digits(group, 2) && digits(serial, 4) => {
            !matches!(area, "000" | "666") && !area.starts_with('9') && group != "00" && serial != "0000"
        }
        [a, b, c] if digits(a, 3) && digits(b, 3) && digits(c, 3) => is_luhn(&groups.concat()),
        _ => is_nino(&groups.concat()),
    }
}

fn is_nino(value: &str) -> bool {
    let &[a, b, ref digits @ .., last] = value.as_bytes() else { return false };
    a.is_ascii_uppercase()
        && b.is_ascii_uppercase()
        && digits.len() == 6
        && digits.iter().all(u8::is_ascii_digit)
        && (b'A'..=b'D').contains(&last)
}

fn is_luhn(digits: &str) -> bool {
    let value = |(place, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0') << (place % 2);
        if digit > 9 { digit - 9 } else { digit }
    };
    digits.bytes().rev().enumerate().map(value).sum::<u32>() % 10 == 0
}

/// `+49 30 1234567`, `(312) 555-0199`, `01 23 45 67 89`, `0171/1234567`. Digits alone may be any number.
fn is_phone(value: &str) -> bool {
    let separator = |char: char| matches!(char, ' ' | '-' | '.' | '/' | '(' | ')');
    let (international, rest) = match value.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, value.trim_start_matches("1-").trim_start_matches("1 ")),
    };
    if !rest.chars().all(|char| char.is_ascii_digit() || separator(char)) {
        return false;
    }
    let groups: Vec<usize> = rest.split(separator).map(str::len).filter(|length| *length > 0).collect();
    let digits: usize = groups.iter().sum();
    if international {
        return (8..=15).contains(&digits);
    }
    groups == [3, 3, 4]
        || (rest.trim_start_matches('(').starts_with('0') && groups.len() > 1 && (9..=13).contains(&digits))
}

/// `12 Main Street`, `Hauptstraße 5a`, `12 bis, rue de la Paix`, `Calle Mayor 3`, `PO Box 77`.
fn is_street(value: &str) -> bool {
    let lower = value.to_lowercase();
    let words: Vec<&str> =
        lower.split([' ', ',']).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty()).collect();
    let begins_with_digit = |word: &&str| word.starts_with(|char: char| char.is_ascii_digit());
    let numbered = words.iter().any(begins_with_digit);
    let first_is_number = words.first().is_some_and(begins_with_digit);
    let english = || first_is_number && words.len() > 2 && words[2..].iter().any(|word| ENGLISH_WAYS.contains(word));
    let ways_before = |word: &&str| WAYS_BEFORE.contains(word);
    let before = || {
        let begins = if first_is_number {
            words.iter().skip(1).take(2).any(ways_before)
        } else {
            words.first().is_some_and(ways_before)
        };
        begins && words.len() > 2
    };
    let ends = |pair: &[&str]| WAY_ENDINGS.iter().any(|way| pair[0].ends_with(way)) && begins_with_digit(&pair[1]);
    let box_number = || lower.starts_with("po box") || lower.starts_with("p.o. box") || lower.starts_with("postfach");
    numbered && (english() || before() || words.windows(2).any(ends) || box_number())
}

/// The words of a value that is shaped like the name of one person: one to four words of letters that begin with a
/// capital, and perhaps initials.
pub fn person(value: &str) -> Option<impl Iterator<Item = &str> + Clone> {
    let words = value.split([' ', ',']).filter(|word| !word.is_empty());
    let initial = |word: &str| word.trim_end_matches('.').chars().count() == 1;
    let letters = |word: &str| word.chars().all(|char| char.is_alphabetic() || matches!(char, '\'' | '’' | '-' | '.'));
    let shaped = |word: &str| word.starts_with(char::is_uppercase) && letters(word);
    let fits = (1..=4).contains(&words.clone().count()) && words.clone().all(shaped);
    fits.then(|| words.filter(move |word| !initial(word)))
}
