//! How far long work has come: one line on a terminal, rewritten now and then; nothing elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;
use tokio::time::Instant;

/// How often the line is rewritten.
const EVERY: Duration = Duration::from_millis(100);

/// A line of progress.
pub(super) struct Progress {
    what: &'static str,
    begun: Instant,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, begun: Instant::now(), shown: None, terminal: std::io::stderr().is_terminal() }
    }

    /// So many of so many are done.
    pub(super) fn show(&mut self, done: u64, all: u64) {
        self.write(done == all, |what, taken| line(what, (done, all), taken));
    }

    /// So many are done; nobody knows of how many.
    pub(super) fn count(&mut self, done: u64) {
        self.write(false, |what, _| format!("{what} {done}"));
    }

    fn write(&mut self, at_end: bool, text: impl FnOnce(&str, Duration) -> String) {
        if !self.terminal || !(at_end || self.shown.is_none_or(|shown| shown.elapsed() >= EVERY)) {
            return;
        }
        self.shown = Some(Instant::now());
        let (text, mut err) = (text(self.what, self.begun.elapsed()), std::io::stderr().lock());
        // Nobody looks any more: the work goes on.
        drop(write!(err, "\r\x1b[K{text}").and_then(|()| err.flush()));
    }

    /// Leaves the line as it is.
    pub(super) fn end(&self) {
        if self.shown.is_some() {
            drop(writeln!(std::io::stderr().lock()));
        }
    }
}

/// A bar, a share, and how long it will still take at this pace.
fn line(what: &str, (done, all): (u64, u64), taken: Duration) -> String {
    const WIDTH: u64 = 30;
    let all = all.max(1);
    let (full, percent) = ((done * WIDTH / all).min(WIDTH), (done * 100 / all).min(100));
    let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
    let left = taken.as_secs().saturating_mul(all.saturating_sub(done)).checked_div(done).unwrap_or_default();
    format!("{what} [{bar}] {percent:>3} %  {done} of {all}, {}:{:02} left", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::line;
    use std::time::Duration;

    #[test]
    fn a_line_says_how_much_is_left() {
        let half = line("moving rows", (500, 1000), Duration::from_secs(70));
        assert_eq!(half, "moving rows [###############...............]  50 %  500 of 1000, 1:10 left");
        assert!(line("x", (0, 0), Duration::ZERO).contains("0 of 1"));
    }
}
