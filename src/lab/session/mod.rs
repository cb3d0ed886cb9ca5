//! What all instruments share: the arguments, the check, progress, the machine, layouts, rounds, and the run itself.

pub mod args;
pub mod check;
mod error;
pub(super) mod estimate;
mod footprint;
mod last;
mod listing;
pub mod machine;
mod opening;
mod paths;
pub mod probe;
pub(super) mod process;
pub mod progress;
pub(super) mod relink;
pub(super) mod ring;
pub(super) mod rounds;
mod run;
pub(super) mod signals;
pub(super) mod steal;

pub use error::SessionError;
pub use listing::measured_points;
pub use paths::{folder, target_folder, target_name};
pub use run::{INTERRUPTED, Session, WRONG_COMMAND, main};
