//! A sentence with its footnote, in the forms that a review, a page and a bibliography take.

use super::number::TIE;
use crate::record::Run;

/// A sentence and its footnote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    pub(super) trap: String,
    pub(super) year: String,
    pub(super) commit: String,
    pub(super) version: String,
    pub(super) sentence: String,
    pub(super) footnote: Vec<String>,
}

impl Citation {
    pub(super) fn of(trap: &str, run: &Run, sentence: String, footnote: Vec<String>) -> Self {
        Self {
            trap: trap.into(),
            year: run.started.get(..4).unwrap_or_default().into(),
            commit: run.provenance.commit.clone().unwrap_or_default(),
            version: run.provenance.trapline.clone(),
            sentence,
            footnote,
        }
    }

    /// The sentence alone.
    #[must_use]
    pub fn sentence(&self) -> String {
        self.sentence.replace(TIE, " ")
    }

    /// The sentence, and the footnote under it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} [1]\n\n[1] {}\n", self.sentence, self.footnote.join(" ")).replace(TIE, " ")
    }

    /// The sentence with a footnote of Markdown's.
    #[must_use]
    pub fn markdown(&self) -> String {
        let key = self.trap.replace('_', "-");
        format!("{}[^{key}]\n\n[^{key}]: {}\n", self.sentence, self.footnote.join(" ")).replace(TIE, " ")
    }

    /// An entry of BibTeX.
    #[must_use]
    pub fn bibtex(&self) -> String {
        let Self { trap, year, commit, version, .. } = self;
        let note = escaped(&format!("{} {}", self.sentence, self.footnote.join(" ")).replace(TIE, " "));
        let title = escaped(&format!("trapline {version}: {trap}"));
        let short = commit.get(..8).unwrap_or(commit);
        format!(
            "@misc{{trapline-{}-{short},\n  title = {{{title}}},\n  author = {{{{The trapline maintainers}}}},\n  \
             year = {{{year}}},\n  version = {{{version}, commit {short}}},\n  note = {{{note}}},\n}}\n",
            trap.replace('_', "-"),
        )
    }
}

// What TeX would take for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => escaped.extend(['\\', letter]),
            other => escaped.push(other),
        }
    }
    escaped
}
