//! What a service would keep.

/// Does so many more ops and keeps what a service would keep of them; dropping it lets all go. Unlike in a
/// [`Routine`](super::Routine), where no output survives its run, what it holds may grow: that is what is asked.
pub type Hold = Box<dyn FnMut(u64)>;
