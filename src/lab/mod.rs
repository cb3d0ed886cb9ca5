//! What measures.
pub mod layout;
