//! trapline
pub mod lab;
pub mod record;
pub mod routine;
mod team;
pub mod trap;
pub mod workload;
