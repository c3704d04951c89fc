use super::faults;
use crate::project::Project;

#[test]
fn the_house_is_tidy() {
    let faults = faults(&Project::open().unwrap()).unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
