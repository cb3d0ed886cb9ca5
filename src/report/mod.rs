//! What is said of the records: one [`Document`], as text for a terminal or as Markdown for a page; one [`screen`] of what a
//! run measured, and the [`summary`] over all instruments.
//!
//! A report reads records only. It computes nothing that a record does not hold, except words ([`verdict`]) and warnings
//! ([`caveat`]), each by a rule that is written once.

mod books;
pub mod caveat;
mod cell;
mod column;
mod counts;
mod detail;
mod document;
mod elsewhere;
mod errors;
mod excerpt;
mod front;
mod gist;
#[cfg(test)]
mod go_tests;
mod gobench;
mod grid;
mod ground;
mod guide;
mod in_go;
mod judged;
mod label;
mod ledger;
#[cfg(test)]
mod made_up;
#[cfg(test)]
mod made_up_archives;
#[cfg(test)]
mod made_up_go;
#[cfg(test)]
mod made_up_tails;
mod markdown;
pub mod model;
mod notes;
mod number;
mod page;
mod place;
mod ranking;
mod resolution;
mod row;
mod scatter;
mod screen;
mod section;
mod side_by_side;
mod sources;
mod strip;
mod summary;
mod table;
mod tails;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod turns;
pub mod verdict;
mod view;
mod visibility;
mod wrap;

pub use document::document;
pub use excerpt::{SpliceError, excerpt, splice};
pub use gobench::{benchmark, gobench};
pub use markdown::markdown;
pub use model::Document;
pub use page::{ReportError, link_criterion, write};
pub use screen::screen;
pub use summary::summary;
pub use text::text;
pub use wrap::WIDTH;
