//! The results that travel with the crate, so that an installed `trapline` can cite without having measured.

use std::path::Path;

use crate::record::Archive;

/// Where they are in the source; `trapline export --format compact` makes them from `docs/results`, and a test holds that it has.
const FILE: &str = "docs/headlines.jsonl";

/// The headline rows of the committed results.
#[must_use]
pub fn shipped() -> Archive {
    Archive::read_text(Path::new(FILE), include_str!("../../docs/headlines.jsonl"))
}
