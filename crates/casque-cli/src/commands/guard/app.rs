//! The guarded app as a child process.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, Command};

use super::orphan;
use crate::exit::Exit;
use crate::login_secret;

/// A running app. It leads a process group of its own, so that what it starts (npm starts node) is reached and ended with it.
/// When this is dropped, the group is killed.
pub(super) struct App {
    child: Child,
    group: Option<Pid>,
    exit: Option<AppExit>,
    pub(super) port: u16,
}

/// How an app ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct AppExit(ExitStatus);

impl App {
    pub(super) fn start(command: &[OsString], port: u16) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("no command")?;
        let mut start = Command::new(program);
        start.args(arguments).env("PORT", port.to_string()).process_group(0).kill_on_drop(true);
        // The guard's secret is none of the app's.
        start.env_remove(login_secret::DEFAULT);
        if std::io::stdin().is_terminal() {
            // A background group that reads the terminal is stopped by it.
            start.stdin(Stdio::null());
        }
        orphan::die_with_parent(&mut start);
        let child = start.spawn().map_err(|e| {
            let program = program.to_string_lossy();
            match e.kind() {
                std::io::ErrorKind::NotFound => format!("cannot start the app: there is no command `{program}`"),
                _ => format!("cannot start the app `{program}`: {e}"),
            }
        })?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, group, exit: None, port })
    }

    /// Waits for its end, and for the end of what it left behind. May be asked again, and dropped while waiting.
    pub(super) async fn exited(&mut self) -> AppExit {
        let exit = match self.exit {
            Some(exit) => exit,
            // Waiting fails only for a child that is not ours, which cannot be.
            None => AppExit(self.child.wait().await.unwrap_or_else(|_| ExitStatus::from_raw(1 << 8))),
        };
        self.exit = Some(exit);
        self.end_group().await;
        exit
    }

    /// Passes a signal on.
    pub(super) fn signal(&self, number: i32) {
        if let (Some(group), Some(signal)) = (self.group, Signal::from_named_raw(number)) {
            let _ = kill_process_group(group, signal);
        }
    }

    pub(super) fn kill(&self) {
        if let Some(group) = self.group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// Ends what the app left behind: politely, then not.
    async fn end_group(&mut self) {
        let Some(group) = self.group else { return };
        for (signal, patience) in [(Signal::TERM, 40), (Signal::KILL, 40)] {
            if kill_process_group(group, signal).is_err() {
                break;
            }
            for _ in 0..patience {
                if test_kill_process_group(group).is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
        // Only now: whoever is interrupted above comes back to a group that is still to be ended.
        self.group = None;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.kill();
    }
}

impl AppExit {
    /// The code that casque ends with: the app's own, or 128 and the number of the signal that ended it, as shells do.
    pub(super) fn code(self) -> Exit {
        let code = self.0.code().or_else(|| self.0.signal().map(|s| 128 + s)).unwrap_or(1);
        match u8::try_from(code).unwrap_or(1) {
            0 => Exit::Clean,
            code => Exit::App(code),
        }
    }

    pub(super) fn in_words(self) -> String {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => format!("ended with code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        }
    }
}
