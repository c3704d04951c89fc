//! Which file systems answer at once.

use std::path::Path;

/// File systems on this machine's own disks and in its memory, by the numbers of statfs(2): ext, XFS, Btrfs, F2FS, ZFS,
/// tmpfs, and layers above those.
#[cfg(target_os = "linux")]
const NEAR: [u32; 7] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x2fc1_2fc1, 0x0102_1994, 0x794c_7630];

/// Whether a question about a name is answered without waiting for another machine, so that asking it on a thread of its
/// own would cost more than the question.
#[cfg(target_os = "linux")]
pub(super) fn is_near(path: &Path) -> bool {
    rustix::fs::statfs(path).is_ok_and(|system| NEAR.contains(&(system.f_type as u32)))
}

/// Whether a question about a name is answered without waiting for another machine; unknown here.
#[cfg(not(target_os = "linux"))]
pub(super) fn is_near(_: &Path) -> bool {
    false
}
