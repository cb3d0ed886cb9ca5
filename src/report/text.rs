//! A document for a terminal of 80 columns, or for a pipe: no colours, no escapes.

use super::model::{Block, Document};
use super::number::TIE;
use super::table;

/// No line is longer than this.
pub const WIDTH: usize = 80;

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

fn hanging(first: &str, text: &str) -> Vec<String> {
    let indent = first.chars().count();
    let lines = wrap(text, WIDTH - indent).into_iter().enumerate();
    lines.map(|(at, line)| if at == 0 { format!("{first}{line}") } else { format!("{:indent$}{line}", "") }).collect()
}

/// The text in lines of at most so many characters. What has no space to break at is broken anywhere.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split([' ', '\n', '\t', '\r']).filter(|word| !word.is_empty()).flat_map(|word| pieces(word, width))
    {
        let line = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(last) if line == 0 => last.push_str(&word),
            Some(last) if line + 1 + word.chars().count() <= width => last.extend([" ", &word]),
            _ => lines.push(word),
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    letters.chunks(width.max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_break_at_spaces_and_nowhere_else() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap(&format!("one t{TIE}o three"), 7), ["one t\u{a0}o", "three"]);
        assert_eq!(wrap("", 7), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_no_letter_lost(text in "[a-z ]{0,200}", width in 1_usize..40) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
