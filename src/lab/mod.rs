//! What measures.
pub mod layout;
pub mod stats;
