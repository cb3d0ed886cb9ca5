//! What is said of the records: one [`Document`], as text for a terminal or as Markdown for a page; one [`screen`] of what a
//! run measured, and the [`summary`] over all instruments.
//!
//! A report reads records only. It computes nothing that a record does not hold, except words ([`verdict`]) and warnings
//! ([`caveat`]), each by a rule that is written once.

mod advice;
mod books;
pub mod caveat;
mod cell;
mod cff;
mod changes;
mod citation;
mod cite;
mod code;
mod column;
mod compact;
mod compare;
mod counts;
mod detail;
mod document;
mod elsewhere;
mod errors;
mod excerpt;
mod export;
mod front;
mod gist;
#[cfg(test)]
mod go_tests;
mod gobench;
mod grid;
mod ground;
mod guide;
mod held;
mod html;
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
mod phrases;
mod place;
mod ranking;
mod resolution;
mod row;
mod scatter;
mod screen;
mod section;
mod shipped;
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
mod told;
mod turns;
pub mod verdict;
mod verify;
mod view;
mod visibility;
mod wrap;

pub use citation::Citation;
pub use cite::{CiteError, Cited, cite};
pub use code::code;
pub use compact::compact;
pub use compare::Comparison;
pub use document::document;
pub use excerpt::{SpliceError, excerpt, has_markers, splice};
pub use export::{csv, json};
pub use gobench::{benchmark, gobench};
pub use html::html;
pub use markdown::markdown;
pub use model::Document;
pub use page::{ReportError, link_criterion, write};
pub use screen::screen;
pub use shipped::shipped;
pub use summary::summary;
pub use text::text;
pub use verify::{Agreement, Verification};
pub use wrap::WIDTH;
