//! A document as GitHub Markdown.

use super::model::{Align, Block, Document, Section, Table};
use super::number::TIE;

/// The document as Markdown.
#[must_use]
pub fn markdown(document: &Document) -> String {
    let sections: String = document.sections.iter().map(|section| format!("\n{}", section_text(section))).collect();
    format!("# {}\n{sections}", prose(&document.title))
}

/// One section as Markdown.
pub(super) fn section_text(section: &Section) -> String {
    let heading = (!section.heading.is_empty()).then(|| format!("## {}\n", prose(&section.heading)));
    let blocks: Vec<String> = heading.into_iter().chain(section.blocks.iter().map(block_text)).collect();
    blocks.join("\n")
}

fn block_text(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("### {}\n", prose(text)),
        Block::Paragraph(text) => format!("{}\n", prose(text)),
        Block::Note(text) => format!("> {}\n", prose(text)),
        Block::Facts(facts) => facts.iter().map(|(name, what)| format!("- **{name}**: {}\n", prose(what))).collect(),
        Block::Table(table) => table_text(table),
        Block::Link { text, target } => format!("[{}]({target})\n", prose(text)),
    }
}

fn table_text(table: &Table) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let headers = line(table.columns.iter().map(|c| cell(&c.header, c.align)).collect());
    let rule = line(table.columns.iter().map(|c| rule(c.align).into()).collect());
    let row =
        |cells: &Vec<String>| line(cells.iter().zip(&table.columns).map(|(text, c)| cell(text, c.align)).collect());
    headers + &rule + &table.rows.iter().map(row).collect::<String>()
}

const fn rule(align: Align) -> &'static str {
    match align {
        Align::Right => "---:",
        Align::Left | Align::Drawing => "---",
    }
}

// A drawing keeps its spaces as unbreakable ones: Markdown makes several plain ones into one.
fn cell(text: &str, align: Align) -> String {
    let text = match align {
        Align::Drawing if text.chars().count() > 1 => format!("`{}`", text.replace(' ', "\u{a0}")),
        _ => prose(text),
    };
    text.replace('|', "\\|")
}

// Outside of `code`, what Markdown would take for its own: `Vec<u8>` is not HTML, and `*` no emphasis.
fn prose(text: &str) -> String {
    let mut code = false;
    let mut escaped = String::with_capacity(text.len());
    for letter in text.replace([TIE, '\n'], " ").chars() {
        code ^= letter == '`';
        match letter {
            '<' if !code => escaped.push_str("&lt;"),
            '*' if !code => escaped.push_str("\\*"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_markdown_would_eat_is_escaped() {
        assert_eq!(prose("a Vec<u8> * `Vec<u8> * 2`"), "a Vec&lt;u8> \\* `Vec<u8> * 2`");
        assert_eq!(cell("a|b", Align::Left), "a\\|b");
        assert_eq!(cell(" ·| ", Align::Drawing), "`\u{a0}·\\|\u{a0}`");
    }
}
