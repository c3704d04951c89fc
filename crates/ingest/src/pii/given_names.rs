//! Given names that many people bear, and that are no places: enough of them to tell a column of persons from others.

#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "aaron", "abdul", "adam", "agnieszka", "ahmed", "aisha", "alan", "albert", "alejandro", "alessandro", "alex",
    "alexander", "alexandra", "ali", "alice", "amanda", "amit", "amy", "ana", "anders", "andrea", "andreas", "andrew",
    "angela", "anita", "anja", "ann", "anna", "anne", "anthony", "antoine", "antonio", "arthur", "ashley", "barbara",
    "beatriz", "ben", "benjamin", "bernd", "betty", "bob", "brandon", "brenda", "brian", "bruce", "camille", "carl",
    "carla", "carlos", "carol", "carolyn", "catherine", "charles", "chen", "chiara", "christian", "christina",
    "christine", "christopher", "claire", "claudia", "claus", "cynthia", "daniel", "daniela", "david", "deborah",
    "denise", "dennis", "diana", "diane", "dieter", "dmitri", "donald", "donna", "dorothy", "douglas", "edward",
    "elena", "elizabeth", "emily", "emma", "eric", "erika", "eva", "fatima", "fernando", "francesca", "francesco",
    "francois", "frank", "franz", "françois", "frederick", "gabriel", "gary", "george", "gerald", "gerhard",
    "giovanni", "giulia", "gloria", "grace", "greg", "gregory", "hannah", "hans", "harold", "hassan", "heather",
    "heidi", "helen", "henry", "hiroshi", "ibrahim", "igor", "ines", "irene", "isabel", "ivan", "jack", "jacob",
    "jacques", "james", "jan", "jane", "janet", "janice", "jason", "javier", "jean", "jeffrey", "jennifer", "jessica",
    "joan", "johannes", "john", "jonas", "jonathan", "jorge", "jose", "joseph", "joshua", "josé", "joyce", "juan",
    "judith", "judy", "julia", "julie", "jürgen", "karen", "karl", "katarzyna", "katherine", "kathleen", "keith",
    "kelly", "kenneth", "kevin", "klaus", "krishna", "kumar", "larry", "lars", "laura", "lauren", "lea", "leon", "li",
    "linda", "lisa", "louis", "lucas", "lucia", "luigi", "luis", "lukas", "manuel", "marco", "margaret", "maria",
    "marie", "marilyn", "mario", "mark", "markus", "martha", "martin", "mary", "maría", "mateusz", "matthew", "megan",
    "mehmet", "mei", "melissa", "mia", "michael", "michel", "michelle", "miguel", "mohamed", "mohammed", "monika",
    "nancy", "natalia", "nathan", "nicholas", "nicole", "nina", "noah", "olga", "oliver", "olivia", "omar", "pamela",
    "patricia", "patrick", "paul", "paula", "pedro", "peter", "petra", "philip", "pierre", "pilar", "priya", "rachel",
    "rahul", "raj", "ralph", "raymond", "rebecca", "renate", "richard", "robert", "roberto", "roger", "ronald",
    "rosa", "rose", "roy", "russell", "ruth", "ryan", "samantha", "samuel", "sandra", "sara", "sarah", "scott",
    "sean", "sergei", "sharon", "shirley", "sofia", "sophie", "stefan", "stephanie", "stephen", "steven", "susan",
    "susanne", "svetlana", "takashi", "tatiana", "teresa", "thomas", "timothy", "tomasz", "tyler", "ursula", "victor",
    "vincent", "vladimir", "walter", "wang", "wei", "werner", "william", "wolfgang", "yuki", "yusuf", "zhang", "zoe",
];

/// Whether many people bear this given name. Case does not matter.
pub fn is_known(word: &str) -> bool {
    KNOWN.binary_search(&word.to_lowercase().as_str()).is_ok()
}
