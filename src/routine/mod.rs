//! What holds the loop and the clock of every timed measurement, and the builders that make one.
//!
//! | builder | for |
//! |---|---|
//! | [`routine`] | work that makes an output in every run |
//! | [`in_place`] | work that leaves its answer in a reused buffer |
//! | [`staged`] | the same, in a buffer that is made for each block |
//! | [`team`] | work that workers share without waiting for each other |
//! | [`waiting_team`] | work that workers share, and wait: for each other, or for a [`Helper`] |
//! | [`gather`] | work that is handed out to workers and collected by the caller |
//! | [`on_stack`] | a routine of another builder, on a thread with a stack of its own size |
//!
//! Not a routine, for they are not runs: a [`Stream`], whose operations are timed one by one, and a [`Hold`], which keeps what a
//! service would keep.

mod block;
mod crew;
mod fresh;
mod gather;
mod helper;
mod hold;
mod in_place;
pub mod layout;
mod on_stack;
pub mod place;
#[cfg(feature = "catalog")]
pub(crate) mod pool;
mod solo;
mod staged;
mod stream;
mod team;
mod thread_time;
mod window;

pub use block::{CrewTime, Pace, Routine, Shape, Work, digest_of};
pub use crew::crews_alone;
pub use fresh::routine;
pub use gather::{Finish, gather};
pub use helper::Helper;
pub use hold::Hold;
pub use in_place::in_place;
pub use on_stack::on_stack;
pub use solo::Turn;
pub use staged::staged;
pub use stream::{Ended, Stream, stream};
pub use team::{WARM_UP, team, waiting_team};
