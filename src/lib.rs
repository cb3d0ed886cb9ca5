//! trapline
#[cfg(feature = "catalog")]
pub mod catalog;
pub mod lab;
pub mod record;
pub mod routine;
mod team;
pub mod trap;
#[cfg(feature = "catalog")]
pub mod traps;
pub mod workload;
