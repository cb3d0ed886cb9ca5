//! What was measured: one [`Record`] a measurement, one [`Run`] for the circumstances, and the [`Store`] that keeps them.
//!
//! All values are in base units (ns, bytes, counts). A record keeps the value of every fork, so that any interval can be
//! computed again. What is unknown is null; what was not measured is a record that says why.

mod measurement;
mod replace;
mod run;
mod store;
mod upgrade;

pub use measurement::{Cell, Record, Variance};
pub use replace::replace;
pub use run::{CoreProbe, GoProvenance, Layouts, Provenance, Run, SCHEMA, Sweeps, TrapNote};
pub use store::{Archive, Damage, Store, StoreError, file_name};
