//! The blocks of the report as HTML. What comes from a record is escaped by the template, always.

use maud::{Markup, html};

use crate::report::model::{Align, Block, Table};
use crate::report::number::TIE;

/// Blocks of something with a name, in reading order.
pub(super) fn all(blocks: &[Block], of: &str) -> Markup {
    let mut under = of.to_owned();
    html! { @for block in blocks { (one(block, &heading(block, of, &mut under))) } }
}

// What a table stands under: it is named by it.
fn heading(block: &Block, of: &str, under: &mut String) -> String {
    if let Block::Heading(text) = block {
        *under = format!("{of}, {text}");
    }
    under.clone()
}

fn one(block: &Block, under: &str) -> Markup {
    match block {
        Block::Heading(text) => html! { h3 { (prose(text)) } },
        Block::Paragraph(text) => html! { p { (prose(text)) } },
        Block::Note(text) => html! { p.note { (prose(text)) } },
        Block::Facts(facts) => html! {
            dl { @for (name, what) in facts { div { dt { (name) } dd { (prose(what)) } } } }
        },
        Block::Table(table) => self::table(table, under),
        // Only a path beside the page is followed.
        Block::Link { text, target } if target.contains(':') => html! { p { (prose(text)) ": " (target) } },
        Block::Link { text, target } => html! { p { a href=(target) { (prose(text)) } } },
    }
}

/// What scrolls by itself where it has no room. Only then is it a region to be focused, which the script sees to.
pub(super) fn scroll(name: &str, inside: &Markup) -> Markup {
    html! { div.scroll data-name=(name.replace(TIE, "\u{a0}")) { (inside) } }
}

/// A table, named by what it stands under and what its rows are.
pub(super) fn table(table: &Table, under: &str) -> Markup {
    let rows = table.columns.first().map_or("", |column| column.header.as_str());
    let inside = html! {
        table {
            thead { tr { @for column in &table.columns { th scope="col" class=(class(column.align)) { (spaced(&column.header, column.align)) } } } }
            tbody { @for row in &table.rows { tr { @for (at, cell) in row.iter().enumerate() { (self::cell(table, at, cell)) } } } }
        }
    };
    scroll(&format!("{under}: table by {rows}"), &inside)
}

fn cell(table: &Table, at: usize, text: &str) -> Markup {
    let align = table.columns.get(at).map_or(Align::Left, |column| column.align);
    match at {
        0 => html! { th scope="row" { (prose(text)) } },
        _ => html! { td class=(class(align)) { (spaced(text, align)) } },
    }
}

const fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "words",
        Align::Right => "number",
        Align::Drawing => "drawing",
    }
}

// A drawing of characters is nothing to be read aloud.
fn spaced(text: &str, align: Align) -> Markup {
    match align {
        Align::Drawing => html! { span aria-hidden="true" { (text.replace(' ', "\u{a0}")) } },
        _ => prose(text),
    }
}

/// A name that may break after its underscores, and nowhere else.
pub(super) fn breakable(name: &str) -> Markup {
    html! { @for (at, part) in name.split('_').enumerate() { @if at > 0 { "_" wbr; } (part) } }
}

/// Prose in which `code` is marked as in Markdown.
pub(super) fn prose(text: &str) -> Markup {
    let text = text.replace(TIE, "\u{a0}");
    html! { @for (at, part) in text.split('`').enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_says_is_text_and_never_markup() {
        let evil = "<script>alert(1)</script>\" onload=\"x";
        let table = Table {
            columns: Table::of(&[(evil, Align::Left), (evil, Align::Drawing)]).columns,
            rows: vec![vec![evil.into(); 2]],
        };
        let link = Block::Link { text: evil.into(), target: "javascript:alert(1)".into() };
        let facts = Block::Facts(vec![(evil.into(), evil.into())]);
        let page =
            all(&[Block::Heading(evil.into()), Block::Note(evil.into()), Block::Table(table), link, facts], evil)
                .into_string();
        assert!(
            !page.contains("<script") && !page.contains("href=\"javascript") && !page.contains("\" onload"),
            "{page}"
        );
    }

    #[test]
    fn code_is_marked() {
        assert_eq!(prose("a `Vec<u8>` b").into_string(), "a <code>Vec&lt;u8&gt;</code> b");
    }
}
