//! trapline
pub mod lab;
pub mod record;
#[cfg(feature = "report")]
pub mod report;
pub mod routine;
mod team;
pub mod trap;
pub mod workload;
