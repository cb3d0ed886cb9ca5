//! A document for a terminal of 80 columns, or for a pipe: no colours, no escapes.

use super::model::{Block, Document};
use super::number::TIE;
use super::table;
use super::wrap::{WIDTH, wrap};

/// The document as plain text.
#[must_use]
pub fn text(document: &Document) -> String {
    let mut lines = headed(&document.title, '=');
    for section in &document.sections {
        if !section.heading.is_empty() {
            lines.push(String::new());
            lines.extend(headed(&section.heading, '-'));
        }
        let mut last: Option<&Block> = None;
        for block in &section.blocks {
            let together = matches!((last, block), (Some(Block::Note(_)), Block::Note(_)));
            lines.extend((!together).then(String::new));
            lines.extend(block_lines(block));
            last = Some(block);
        }
    }
    let lines = lines.iter().map(|line| format!("{}\n", line.trim_end()));
    lines.collect::<String>().replace(TIE, " ")
}

fn block_lines(block: &Block) -> Vec<String> {
    match block {
        Block::Heading(text) => ruled(text),
        Block::Paragraph(text) => wrap(text, WIDTH),
        Block::Note(text) => hanging("  ! ", text),
        Block::Facts(facts) => fact_lines(facts),
        Block::Table(table) => table::lines(table),
        Block::Link { text, target } => hanging("", &format!("{text}: {target}")),
    }
}

fn headed(text: &str, rule: char) -> Vec<String> {
    let mut lines = wrap(text, WIDTH);
    let length = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    lines.push(rule.to_string().repeat(length));
    lines
}

// The heading of a point runs on as a line across the page, so that the eye finds where tables belong.
fn ruled(text: &str) -> Vec<String> {
    let mut lines = wrap(&format!("──{TIE}{text} "), WIDTH - 3);
    if let Some(last) = lines.last_mut() {
        let rest = (WIDTH - 1).saturating_sub(last.chars().count());
        last.push_str(&format!(" {}", "─".repeat(rest)));
    }
    lines
}

fn fact_lines(facts: &[(String, String)]) -> Vec<String> {
    let longest = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(20);
    let line = |(name, what): &(String, String)| hanging(&format!("{name:<longest$}  "), what);
    facts.iter().flat_map(line).collect()
}

/// The text with so much before its first line, and the same room before the others.
pub(super) fn hanging(first: &str, text: &str) -> Vec<String> {
    let indent = first.chars().count();
    // A name that leaves no room for what it names is a foreign one.
    let lines = wrap(text, WIDTH.saturating_sub(indent).max(20)).into_iter().enumerate();
    lines.map(|(at, line)| if at == 0 { format!("{first}{line}") } else { format!("{:indent$}{line}", "") }).collect()
}
