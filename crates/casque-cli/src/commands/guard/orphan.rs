//! What becomes of the app when casque is killed (SIGKILL) and can do nothing about it: it is sent SIGTERM by the kernel. That
//! reaches the child itself and not what the child has started in turn, so `-- node server.js` leaves nothing behind and
//! `-- npm start` may leave node. Every other end of casque ends the whole process group.

use tokio::process::Command;

/// Asks the kernel to send the child SIGTERM when its parent dies (Linux; elsewhere a killed casque leaves its app running).
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "pre_exec has no safe form; the proof stands below")]
pub(super) fn die_with_parent(command: &mut Command) {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only async-signal-safe functions may be called, and no lock may be taken or memory
    // allocated, for another thread of the parent may have held one. The closure makes two raw system calls (prctl and getppid,
    // which rustix issues directly, without libc's state) and compares two integers that were captured by value. Both error
    // paths build an `io::Error` from a number, which does not allocate.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::TERM))?;
            // If the parent died before the call above, no signal will come.
            if getppid() == Some(parent) { Ok(()) } else { Err(std::io::Error::from_raw_os_error(3)) }
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent(_: &mut Command) {}
