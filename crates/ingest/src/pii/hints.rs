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
const HINTS: &[(&str, Pii, Strength)] = {
    use Pii::{Address, BirthDate, Email, Name, Other, Phone, Ssn};
    use Strength::{Hints, Says};
    &[
        ("email", Email, Says),
        ("e mail", Email, Says),
        ("mail address", Email, Hints),
        ("mail", Email, Hints),
        ("correo", Email, Hints),
        ("courriel", Email, Says),
        ("phone", Phone, Says),
        ("telephone", Phone, Says),
        ("telefon", Phone, Says),
        ("telefono", Phone, Says),
        ("mobile number", Phone, Says),
        ("cell phone", Phone, Says),
        ("cellphone", Phone, Says),
        ("handy", Phone, Hints),
        ("mobile", Phone, Hints),
        ("cell", Phone, Hints),
        ("tel", Phone, Hints),
        ("fax", Phone, Hints),
        ("ssn", Ssn, Says),
        ("social security", Ssn, Says),
        ("national insurance", Ssn, Says),
        ("nino", Ssn, Hints),
        ("date of birth", BirthDate, Says),
        ("birth date", BirthDate, Says),
        ("birthdate", BirthDate, Says),
        ("birth day", BirthDate, Says),
        ("birthday", BirthDate, Says),
        ("birth year", BirthDate, Says),
        ("dob", BirthDate, Says),
        ("geburtsdatum", BirthDate, Says),
        ("geburtstag", BirthDate, Says),
        ("fecha de nacimiento", BirthDate, Says),
        ("date de naissance", BirthDate, Says),
        ("first name", Name, Says),
        ("given name", Name, Says),
        ("last name", Name, Says),
        ("family name", Name, Says),
        ("middle name", Name, Says),
        ("full name", Name, Says),
        ("maiden name", Name, Says),
        ("birth name", Name, Says),
        ("surname", Name, Says),
        ("forename", Name, Says),
        ("employee name", Name, Says),
        ("patient name", Name, Says),
        ("vorname", Name, Says),
        ("nachname", Name, Says),
        ("apellido", Name, Says),
        ("prenom", Name, Says),
        ("prénom", Name, Says),
        ("cognome", Name, Says),
        ("name", Name, Hints),
        ("nombre", Name, Hints),
        ("nome", Name, Hints),
        ("nom", Name, Hints),
        ("street address", Address, Says),
        ("home address", Address, Says),
        ("mailing address", Address, Says),
        ("postal address", Address, Says),
        ("street", Address, Hints),
        ("address", Address, Hints),
        ("addr", Address, Hints),
        ("adresse", Address, Hints),
        ("anschrift", Address, Says),
        ("direccion", Address, Hints),
        ("indirizzo", Address, Hints),
        ("passport number", Other, Says),
        ("passport no", Other, Says),
        ("credit card number", Other, Says),
        ("iban", Other, Says),
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
    let known = HINTS.iter().find(|(phrase, ..)| holds(&words, phrase));
    known.map(|(_, kind, strength)| (*kind, *strength))
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
