//! The option that is set is the one that is meant.

/// The allocator reads `MIMALLOC_PURGE_DELAY` for the option by its name, and the program sets it by its number: who says
/// nothing in the environment finds what the program says, and who says something finds that.
#[test]
fn what_is_set_by_number_is_what_has_the_name() {
    const OPTION: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: reads a number, under an index that the allocator checks.
    #[expect(unsafe_code, reason = "the allocator is written in C")]
    let delay = || unsafe { libmimalloc_sys::mi_option_get(OPTION) };
    let program = std::env::current_exe().expect("this test");
    let is_child = std::env::args().any(|word| word == "--nocapture");
    if is_child {
        allocator::give_back_soon();
        println!("delay {}", delay());
        return;
    }
    for (said, expected) in [(None, 10), (Some("77"), 77)] {
        let mut child = std::process::Command::new(&program);
        child.arg("--nocapture").env_remove("MIMALLOC_PURGE_DELAY");
        child.envs(said.map(|said| ("MIMALLOC_PURGE_DELAY", said)));
        let told = String::from_utf8(child.output().expect("a run").stdout).expect("text");
        assert!(told.contains(&format!("delay {expected}\n")), "{said:?}: {told}");
    }
}
