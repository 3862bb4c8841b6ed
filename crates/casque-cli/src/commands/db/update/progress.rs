//! How far a download is, on a terminal alone.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that moves.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shows nothing yet.
    pub(super) fn new(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_message(what.to_owned());
        Self(bar)
    }

    /// Bytes are on their way: so many are here, of so many if that is known.
    pub(super) fn begin(&self, here: u64, total: Option<u64>) {
        let known = "{msg:<10} {bar:30} {binary_bytes:>10} of {binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
        let template = if total.is_some() { known } else { "{msg:<10} {binary_bytes:>10}, {binary_bytes_per_sec}" };
        self.0.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style.progress_chars("=> "));
        }
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_position(here);
        self.0.reset_eta();
    }

    /// So many things are to be had.
    pub(super) fn count(&self, total: u64) {
        self.0.set_draw_target(ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{msg:<10} {bar:30} {pos} of {len} records") {
            self.0.set_style(style.progress_chars("=> "));
        }
        self.0.set_length(total);
        self.0.set_position(0);
    }

    /// How far it is.
    pub(super) fn reach(&self, at: u64) {
        self.0.set_position(at);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
