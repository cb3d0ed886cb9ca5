//! What measures: the instruments, and what they share.
//!
//! Every bench target is one call of an instrument's `main`, which reads the arguments, checks that all variants agree,
//! measures, keeps the records and renders the report.

#[cfg(feature = "cli")]
pub mod glance;
pub mod layout;
#[cfg(feature = "cli")]
mod ring;
pub mod stats;

#[cfg(feature = "cli")]
pub mod args;
#[cfg(feature = "cli")]
pub mod check;
#[cfg(feature = "cli")]
mod child;
#[cfg(feature = "cli")]
mod fork;
#[cfg(feature = "heap")]
pub mod heap;
#[cfg(feature = "instructions")]
pub mod instructions;
#[cfg(feature = "cli")]
pub mod machine;
#[cfg(feature = "cli")]
pub mod probe;
#[cfg(feature = "cli")]
pub mod progress;
#[cfg(feature = "cli")]
pub mod ratio;
#[cfg(feature = "cli")]
mod relink;
#[cfg(feature = "cli")]
mod rows;
#[cfg(feature = "cli")]
pub mod session;
