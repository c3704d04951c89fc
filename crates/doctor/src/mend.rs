//! Commands that mend, as they can be run where the doctor was: each names the very place, as a shell reads it.

use std::fmt::Display;
use std::path::{Path, absolute};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
use storage::Location;

/// A text as one word of a shell.
pub fn word(text: impl Display) -> String {
    let text = text.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:+@%,=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A command of this program for this lake.
pub(crate) fn at(lake: &Location, command: impl Display) -> String {
    match lake {
        Location::Directory(path) => format!("lakehouse {command} --lake {}", place(path)),
        lake => format!("lakehouse {command} --lake {}", word(lake)),
    }
}

/// Gives a lake, or the empty place of one, to whoever asks; nothing above it changes hands.
pub(crate) fn own(lake: &Path) -> String {
    let place = place(lake);
    match lake {
        lake if lake.join("_lake").is_dir() => format!("sudo chown -R \"$(id -un)\" {place}"),
        lake if lake.is_dir() => format!("sudo chown \"$(id -un)\" {place}"),
        _ => format!("sudo install -d -o \"$(id -un)\" {place}"),
    }
}

/// Lets a file system take writes again: the one that a place lies on.
pub(crate) fn remount(place: &Path) -> String {
    format!("sudo mount -o remount,rw {}", word(mount_point(place).display()))
}

/// Puts a file out of the way of a lake.
pub(crate) fn move_away(file: &Path) -> String {
    let file = absolute(file).unwrap_or_else(|_| file.to_owned());
    format!("mv -n {} {}", word(file.display()), word(format!("{}.old", file.display())))
}

fn place(path: &Path) -> String {
    word(absolute(path).unwrap_or_else(|_| path.to_owned()).display())
}

/// Where what a place lies on is mounted.
fn mount_point(place: &Path) -> &Path {
    let is_mounted = |above: &&Path| {
        let told = statx(CWD, *above, AtFlags::empty(), StatxFlags::BASIC_STATS);
        told.is_ok_and(|told| told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
    };
    place.ancestors().find(is_mounted).unwrap_or(Path::new("/"))
}
