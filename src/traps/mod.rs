//! The traps, one module each, all of one shape: what the habit is, the plain functions, the catalog entry, the tests.
//!
//! Each module reads from top to bottom as its chapter. The functions stand alone: a reader can paste them into a
//! service. To add a trap, write `src/traps/<name>.rs` with a `pub const TRAP: Trap` whose name is the file's, and add
//! its name to the list below. That one line declares the module and enters it in [`crate::catalog::TRAPS`].
//!
//! `cargo fmt` does not follow modules that a macro declares: format these files with `rustfmt --edition 2024
//! src/traps/*.rs`.

use crate::trap::Trap;

macro_rules! catalog {
    ($($name:ident,)*) => {
        $(pub mod $name;)*

        /// Every trap, in the order of the list above.
        pub(crate) const LISTED: &[Trap] = &[$($name::TRAP),*];

        /// The source of each, by its name.
        pub(crate) const SOURCES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!(stringify!($name), ".rs")))),*];
    };
}

catalog! {
    vec_growth,
    boxed_trait,
    buffer_pool,
    fan_in,
    contended_map,
    boxed_any,
    request_context,
    closure_capture,
    oversubscription,
    false_sharing,
    shared_counter,
    map_iteration,
    defer_in_loop,
    deep_recursion,
    unbounded_cache,
    drop_pause,
    reclaim_interval,
    channel_buffering,
    busy_select,
    leaked_worker,
    locked_iteration,
}
