//! What a claim is made of.

use crate::trap::Instrument;

/// A statement that is commonly made about a Go service, in our own words.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Its id: `A1`.
    pub id: &'static str,
    /// The trap that tests it, or what does.
    pub trap: &'static str,
    /// What is said.
    pub statement: &'static str,
    /// The figure as it is published.
    pub published: &'static str,
    /// What has to be true for it, all of it.
    pub parts: &'static [Part],
    /// What has changed in Go since it was first said, and in which version.
    pub since: Option<&'static str>,
}

/// A part of a claim: an effect, and what it should be.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What the effect is.
    pub what: &'static str,
    /// What it should be.
    pub expected: Expected,
    /// What decides it in Rust.
    pub rust: Evidence,
    /// What decides it in Go.
    pub go: Evidence,
}

/// What an effect should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// Above 1, by more than 5 %.
    More,
    /// Within 5 % of 1.
    Alike,
    /// Between these.
    Figure(f64, f64),
    /// Not to be seen at the first point, and above 1 at the last.
    Appears,
    /// Below 1 at the first point, and above 1 at the last.
    Turns,
}

/// What decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Records of an instrument and a metric, at these points.
    Records(Instrument, &'static str, Effect, &'static [At]),
    /// So many times the effect of another claim.
    Derived(&'static str, f64),
    /// A test in this file.
    Test(&'static str),
    /// The compiler, which refuses it: doctests in this file.
    Prevented(&'static str),
    /// The planted slowdowns of the ratio target.
    Planted,
    /// The ranking of all advice.
    Ranking,
    /// Nothing, for this reason.
    Nothing(&'static str),
}

/// The number of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The value of this arm: of a metric such as `p99_ratio`, trap ÷ arm.
    Of(&'static str),
    /// The value of the first arm ÷ that of the second.
    Over(&'static str, &'static str),
    /// The value of this arm ÷ what it has of another metric.
    Share(&'static str, &'static str),
}

/// Where: n, threads and case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub u64, pub usize, pub &'static str);
