//! The statistics that a ratio rests on.
//!
//! A ratio is measured in processes, several to a **layout** (a fresh link of the executable). Values come in by
//! `[layout][process]`, the processes in the order of the passes: process j of every layout ran in pass j,
//! if each has one in every pass (the permutation test needs three, and so sees no others). That processes are independent
//! and passes run over all layouts is the lab's business, not this module's. Ratios are handled as logarithms, so that 2x and 0.5x
//! lie equally far from 1:
//! [Fleming and Wallace, "How not to lie with statistics", CACM 29(3), 1986](https://doi.org/10.1145/5666.5673).

mod components;
mod interval;
mod line;
mod permutation;
#[cfg(test)]
pub(crate) mod simulated;
mod two;

pub use components::{Components, components};
pub use interval::{
    geometric_interval, geometric_process_interval, layout_medians, median, nested_interval, next_link,
    process_interval, t_interval,
};
pub use line::{Line, line};
pub use permutation::{holm, permutation_p};
pub use two::{Change, change, null_scale};
