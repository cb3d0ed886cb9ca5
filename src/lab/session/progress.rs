//! Progress of long work: a bar on a terminal, plain lines when piped. Both go to standard error.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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
        let drawn = if plain { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), drawn);
        let style = ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {elapsed} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(target);
        Self { bar, target, plain }
    }

    /// How many steps there are from here.
    pub fn steps(&self, steps: usize) {
        self.bar.reset();
        self.bar.set_length(steps as u64);
        // The bar moves while a step runs, but not so often that drawing it shows in a measurement.
        if !self.plain {
            self.bar.enable_steady_tick(Duration::from_secs(1));
        }
    }

    /// One step more is done. Nothing is printed for it when piped.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// What is being done now: the bar's message, or a line.
    pub fn say(&self, what: &str) {
        if self.plain {
            eprintln!("{}: {what}", self.target);
        } else {
            self.bar.set_message(what.to_owned());
        }
    }

    /// A line that stays.
    pub fn note(&self, what: &str) {
        self.bar.suspend(|| eprintln!("{}: {what}", self.target));
    }

    /// Takes the bar away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
