//! Signals, sorted by what they ask for.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// End; with the signal's number.
    Stop(i32),
    /// Read the policy file again.
    Reload,
    /// Something that concerns the app alone; with the signal's number.
    Other(i32),
}

pub(super) struct Signals {
    interrupt: Stream,
    terminate: Stream,
    quit: Stream,
    hangup: Stream,
    user1: Stream,
    user2: Stream,
    /// Whether it was started on a terminal.
    on_terminal: bool,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
            on_terminal: io::stderr().is_terminal(),
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Signal {
        let number = |kind: SignalKind| kind.as_raw_value();
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop(number(SignalKind::interrupt())),
            _ = self.terminate.recv() => Signal::Stop(number(SignalKind::terminate())),
            _ = self.quit.recv() => Signal::Stop(number(SignalKind::quit())),
            _ = self.hangup.recv() => {
                // The kernel sends it when the terminal is closed, people send it to have the file read again.
                let terminal_gone = self.on_terminal && !io::stderr().is_terminal();
                if terminal_gone { Signal::Stop(number(SignalKind::hangup())) } else { Signal::Reload }
            }
            _ = self.user1.recv() => Signal::Other(number(SignalKind::user_defined1())),
            _ = self.user2.recv() => Signal::Other(number(SignalKind::user_defined2())),
        }
    }
}
