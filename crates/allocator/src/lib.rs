//! The allocator of the product's programs: whatever links this room allocates with it.
//!
//! It never decides who allocates how much.

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` among the options of mimalloc, which has no name for it here: why its version is pinned.
const OPTION_PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// After how many milliseconds memory that was freed goes back. The second that the allocator waits on its own is long enough for a load or an index to take as much again, and then
/// nobody asks for so much that it looks at what it holds: a server kept six times what it needed.
const DELAY_MS: std::ffi::c_long = 10;

/// Lets memory that was freed go back to the system soon. For the begin of a program; what its environment says
/// (`MIMALLOC_PURGE_DELAY`) counts more.
#[expect(unsafe_code, reason = "the allocator is written in C")]
pub fn give_back_soon() {
    // SAFETY: sets a number that the allocator reads atomically, under an index that it checks.
    unsafe { libmimalloc_sys::mi_option_set_default(OPTION_PURGE_DELAY, DELAY_MS) }
}

/// Gives back at once what was freed by this thread, by those that compute together, and by all that have ended; waits for
/// those that compute. For programs at rest: the allocator looks at what it holds only when somebody asks it for much.
pub fn give_back() {
    rayon::broadcast(|_| collect());
    collect();
}

#[expect(unsafe_code, reason = "the allocator is written in C")]
fn collect() {
    // SAFETY: may be called by every thread at any time.
    unsafe { libmimalloc_sys::mi_collect(true) }
}
