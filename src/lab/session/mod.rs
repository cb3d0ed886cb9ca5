//! What all instruments share: the arguments, the check, progress, the machine, layouts, rounds, and the run itself.

pub mod args;
pub mod check;
pub mod machine;
mod paths;
pub mod probe;
pub mod progress;
pub(super) mod relink;
pub(super) mod ring;
pub(super) mod rounds;
mod run;
pub(super) mod steal;

pub use paths::{target_folder, target_name};
pub use run::{INTERRUPTED, Session, SessionError, WRONG_COMMAND, main, measured_points};
