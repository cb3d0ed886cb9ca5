//! What measures: the instruments, and what they share.
//!
//! Every bench target is one call of an instrument's `main`, which reads the arguments, checks that all variants agree,
//! measures, keeps the records and renders the report.

#[cfg(feature = "cli")]
pub mod glance;
#[cfg(feature = "cli")]
pub mod go;
#[cfg(feature = "heap")]
pub mod heap;
#[cfg(feature = "instructions")]
pub mod instructions;
#[cfg(feature = "cli")]
pub mod latency;
#[cfg(target_os = "linux")]
pub mod leak;
#[cfg(feature = "cli")]
pub mod ratio;
#[cfg(feature = "cli")]
pub mod session;
pub mod stats;
#[cfg(feature = "time")]
pub mod time;
#[cfg(feature = "cli")]
pub mod usage;
