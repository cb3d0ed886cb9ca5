//! The claims that the lab puts to the test, as data: what is said, the figure as it is published, and which records decide.
//!
//! Nothing here is a result. The ledger of the report ([`crate::report`]) looks the records up and says what they say.

mod claim;
mod stated;

pub use claim::{At, Claim, Effect, Evidence, Expected, Part};
pub use stated::CLAIMS;
