//! Notes of one section, each said once.

use std::collections::HashSet;

use super::model::{Block, note};

/// What a section has said already.
#[derive(Debug, Default)]
pub(super) struct Notes {
    said: HashSet<String>,
}

impl Notes {
    /// The note, unless the section has it already.
    pub(super) fn once(&mut self, text: String) -> Option<Block> {
        self.said.insert(text.clone()).then(|| note(text))
    }
}
