//! What the name of a column says about its values.

use catalog::Pii;

/// How much a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// The name is enough.
    Says,
    /// Values must agree.
    Hints,
}

/// Names by their words, the telling ones first.
#[rustfmt::skip]
const HINTS: &[(Pii, Strength, &[&str])] = {
    use Pii::{Address, BirthDate, Email, Name, Other, Phone, Ssn};
    use Strength::{Hints, Says};
    &[
        (Email, Says, &["email", "e mail"]),
        (Email, Hints, &["mail address", "mail", "correo"]),
        (Email, Says, &["courriel"]),
        (Phone, Says, &["phone", "telephone", "telefon", "telefono", "mobile number", "cell phone", "cellphone"]),
        (Phone, Hints, &["handy", "mobile", "cell", "tel", "fax"]),
        (Ssn, Says, &["ssn", "social security", "national insurance"]),
        (Ssn, Hints, &["nino"]),
        (BirthDate, Says, &["date of birth", "birth date", "birthdate", "birth day", "birthday", "birth year", "dob",
            "geburtsdatum", "geburtstag", "fecha de nacimiento", "date de naissance"]),
        (Name, Says, &["first name", "given name", "last name", "family name", "middle name", "full name",
            "maiden name", "birth name", "surname", "forename", "employee name", "patient name", "vorname",
            "nachname", "apellido", "prenom", "prénom", "cognome"]),
        (Name, Hints, &["name", "nombre", "nome", "nom"]),
        (Address, Says, &["street address", "home address", "mailing address", "postal address"]),
        (Address, Hints, &["street", "address", "addr", "adresse"]),
        (Address, Says, &["anschrift"]),
        (Address, Hints, &["direccion", "indirizzo"]),
        (Other, Says, &["passport number", "passport no", "credit card number", "iban"]),
    ]
};

/// Words after which a column is about such data and holds none.
const ABOUT: [&str; 16] = [
    "count", "flag", "is", "has", "verified", "valid", "opt", "consent", "length", "status", "type", "domain",
    "provider", "template", "subject", "hash",
];

/// What a column's name says, if anything.
pub fn hint(column: &str) -> Option<(Pii, Strength)> {
    let words = words(column);
    if words.iter().any(|word| ABOUT.contains(&word.as_str())) {
        return None;
    }
    let known = HINTS.iter().find(|(_, _, phrases)| phrases.iter().any(|phrase| holds(&words, phrase)));
    known.map(|(kind, strength, _)| (*kind, *strength))
}

/// Whether the words of a phrase stand in a row, or the name is the phrase written in one word.
fn holds(words: &[String], phrase: &str) -> bool {
    let wanted: Vec<&str> = phrase.split(' ').collect();
    let in_a_row = words.windows(wanted.len()).any(|row| row.iter().eq(&wanted));
    in_a_row || matches!(words, [word] if *word == wanted.concat())
}

/// The words of a name in lower case: `firstName`, `first_name` and `FIRST NAME` have the same.
fn words(column: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for char in column.chars() {
        if !char.is_alphabetic() || (before_is_lower && char.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| char.is_alphabetic()) {
            word.extend(char.to_lowercase());
        }
        before_is_lower = char.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
