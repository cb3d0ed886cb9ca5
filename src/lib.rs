//! # trapline
//!
//! A lab for hidden performance traps: the ones that Go developers keep hitting, rebuilt in Rust as **trap**, **fix** and
//! **floor**, and measured so that the number can be trusted, repeated and explained.
//!
//! - **trap**: the habit itself, such as growing a `Vec` without a size;
//! - **fix**: what people do instead; the first one is the advice;
//! - **floor**: the same work with the trap's cost gone altogether, on the same cores.
//!
//! `cargo bench` measures the catalog with seven instruments and leaves a report. Data flows one way:
//!
//! | room | what is in it |
//! |---|---|
//! | [`trap`], [`routine`] | the vocabulary: a trap is constant data, a routine holds the loop and the clock |
//! | `catalog`, `traps` | the traps: one file and one line each |
//! | `prevented` | traps that safe Rust refuses, as tests that must not compile |
//! | [`workload`] | seeded inputs that traps share |
//! | [`lab`] | the instruments: what measures |
//! | [`record`] | what was measured, with its provenance |
//! | `report` | what is said of it |
//!
//! A trap knows nothing of instruments, an instrument nothing of any one trap, and a report reads records only.
//!
//! # Your own trap
//!
//! State a [`trap::Trap`] in your own crate, and a bench target (`harness = false`) of five lines measures it with the lab's
//! forked ratio:
//!
//! ```no_run
//! # mod my_trap {
//! #     use trapline::trap::{Point, Trap, Variant, routine};
//! #     const POINTS: &[Point] = &[Point::n(1000).headline()];
//! #     const VARIANTS: &[Variant] = &[
//! #         Variant::trap("concat", |p| routine(vec!["x"; p.len()], |words| words.iter().fold(String::new(), |s, w| s + w))),
//! #         Variant::fix("join", |p| routine(vec!["x"; p.len()], |words| words.concat())),
//! #     ];
//! #     pub const TRAP: Trap = Trap {
//! #         name: "string_concat", title: "Concatenating in a loop", section: "memory", habit: "s += w in a loop",
//! #         claims: &[], counts: "words", op: "one word appended", points: POINTS, cases: &[],
//! #         variants: VARIANTS, blind: &[],
//! #     };
//! # }
//! # #[cfg(feature = "cli")]
//! fn main() -> std::process::ExitCode {
//!     trapline::lab::ratio::main(&[my_trap::TRAP])
//! }
//! # #[cfg(not(feature = "cli"))]
//! # fn main() {}
//! ```
//!
//! `examples/07_your_own_trap.rs` is a whole one.
//!
//! # Features
//!
//! `catalog` (the traps and the crates that they put to the test), `report` and `cli` (arguments, progress, the bench
//! targets' main functions) are on by default. `heap`, `instructions` and `time` add those instruments, `mimalloc` changes the
//! allocator of the package's own bench targets. Without any, what is left is the vocabulary, the statistics and the records.

#[cfg(feature = "catalog")]
pub mod catalog;
pub mod claims;
pub mod lab;
#[cfg(feature = "catalog")]
pub mod prevented;
pub mod record;
#[cfg(feature = "report")]
pub mod report;
pub mod routine;
pub mod trap;
#[cfg(feature = "catalog")]
pub mod traps;
pub mod workload;
