//! Progress of long work, on standard error: one bar on a terminal, a line a pass when piped.
//!
//! Nothing of it runs beside a measurement. The bar is drawn by the calling thread, when it is told something, and at no
//! other time: a ticker of its own allocated inside the heap instrument's window, and took a core from the clocks. So the
//! bar stands still while something is measured, and tells next to it what that is.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

// Draws that come too fast are left out, and what is left out would stand there, wrong, for as long as the next
// measurement takes. Two tellings are seldom less than these 4 ms apart.
const HERTZ: u8 = 255;

/// Tells how far a measurement has come.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    target: &'static str,
    plain: bool,
}

impl Progress {
    /// The progress of a bench target.
    #[must_use]
    pub fn new(target: &'static str) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let drawn = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(HERTZ) };
        // Cleared also where an error or a panic leaves no time for `end`.
        let bar = ProgressBar::with_draw_target(Some(0), drawn).with_finish(ProgressFinish::AndClear);
        bar.set_style(style("{prefix}: {wide_msg}"));
        bar.set_prefix(target);
        Self { bar, target, plain }
    }

    /// How many steps there are from here.
    pub fn steps(&self, steps: usize) {
        self.bar.set_style(style("{prefix} {bar:24} {pos}/{len}, {eta} left: {wide_msg}"));
        self.bar.reset();
        self.bar.set_length(steps as u64);
    }

    /// One step more is done. Nothing is printed for it when piped.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// What is being done now: the bar's message. Nothing is printed for it when piped.
    pub fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// The same for a part of the work that is worth a line when piped, such as a pass over all traps.
    pub fn pass(&self, what: &str) {
        if self.plain {
            eprintln!("{}: {what}", self.target);
        }
        self.say(what);
    }

    /// A line that stays.
    pub fn note(&self, what: &str) {
        self.bar.suspend(|| eprintln!("{}: {what}", self.target));
    }

    /// Takes the bar away. The cursor was never hidden, so that there is nothing else to put back.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
