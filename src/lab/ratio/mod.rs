//! The ratio instrument: trap ÷ variant, over processes of freshly relinked executables.
//!
//! One process gives one memory layout and one link gives one code layout, and they decide the number. So every layout is a
//! link of its own, and each runs in several processes, pass by pass: pass 1 over all layouts in random order, then pass 2 in
//! another. A process measures one trap. Its value of a row is the median over its rounds of ln(base ÷ variant), where the
//! base of a round is the mean of the trap's two instances; the value of a layout is the median over its processes; the
//! estimate is exp(mean over layouts), its interval exp(mean ± t(0.975, L − 1) · sd ÷ √L).

mod fork;
mod planted;
mod protocol;
mod rows;
mod sampler;
mod schedule;
mod value;

pub use sampler::main;
