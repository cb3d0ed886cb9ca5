//! What measures.
#[cfg(feature = "instructions")]
pub mod instructions;
pub mod layout;
