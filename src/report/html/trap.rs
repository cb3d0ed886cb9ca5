//! The section of one trap: the habit, when to apply the advice, the code, the plots, and the tables beneath.

use maud::{Markup, html};

use super::axis::Log;
use super::blocks::{self, breakable, prose};
use super::summary::word_class;
use super::{code, curves, forest, panel, tail, trade};
use crate::report::cell::measures;
use crate::report::column::Column;
use crate::report::gist::Gist;
use crate::report::model::{Align, Block, Section, Table};
use crate::report::number::figures;
use crate::report::place::Place;
use crate::report::row::Row;
use crate::report::section;
use crate::report::view::TrapView;
use crate::report::{advice, ground};
use crate::trap::{Instrument, Role};

/// The section, with the source of the trap where there is one: the findings first, then what they rest on.
pub(super) fn section(trap: &TrapView<'_>, source: Option<&str>) -> Markup {
    let Section { heading, blocks, .. } = section::section(trap);
    let (about, ground, tables) = split(blocks);
    html! {
        section id=(trap.name) aria-labelledby={ "h-" (trap.name) } {
            h2 id={ "h-" (trap.name) } { (prose(&heading)) }
            @if let Some(sentence) = advice::sentence(trap) { p.finding { (finding(&sentence)) } }
            (blocks::all(&about, trap.name))
            @if let Some(column) = trap.column {
                (advice(trap))
                (source.map_or_else(|| html! {}, |source| beside(trap, column, source)))
                (headlines(trap, column))
            }
            (held(trap))
            (plots(trap))
            (blocks::all(&ground, trap.name))
            details { summary { "All rows of " (trap.name) } (blocks::all(&tables, trap.name)) }
            p.up { a href="#top" { "All traps" } }
        }
    }
}

fn plots(trap: &TrapView<'_>) -> Markup {
    let over = trap.column.map(|column| curves::plots(trap, column)).unwrap_or_default();
    panel::side_by_side(&[over, tail::plots(trap), trade::plots(trap)].concat())
}

// Whoever reads only its beginning has the call and the number.
fn finding(sentence: &str) -> Markup {
    let (first, rest) = sentence.split_once("; ").unwrap_or((sentence, ""));
    html! { strong { (prose(first)) } @if !rest.is_empty() { "; " (prose(rest)) } }
}

// What it is; what the numbers rest on; and what was measured of it point by point.
fn split(mut blocks: Vec<Block>) -> (Vec<Block>, Vec<Block>, Vec<Block>) {
    let first = |is: fn(&Block) -> bool| blocks.iter().position(is).unwrap_or(blocks.len());
    let (tables, facts) = (first(|b| matches!(b, Block::Heading(_))), first(|b| matches!(b, Block::Facts(_))));
    let tables = blocks.split_off(tables);
    let ground = blocks.split_off((facts + 1).min(blocks.len()));
    (blocks, ground, tables)
}

/// What an op leaves behind, where a trap is one of keeping.
const HELD: [(Instrument, &str, &str); 4] = [
    (Instrument::Heap, "live_bytes_per_op", "bytes held an op"),
    (Instrument::Usage, "rss_bytes_per_op", "resident bytes an op"),
    (Instrument::Usage, "threads_per_op", "threads an op"),
    (Instrument::Usage, "open_files_per_op", "open files an op"),
];

// Each count of the trap and of its fixes, at the points where it was counted.
fn held(trap: &TrapView<'_>) -> Markup {
    let mut table = Table::of(&[
        ("what is held", Align::Left),
        ("point", Align::Left),
        ("arm", Align::Left),
        ("each", Align::Right),
    ]);
    for ((instrument, metric, what), place) in
        HELD.iter().flat_map(|held| trap.places().into_iter().map(move |place| (held, place)))
    {
        let told = trap.at(place, *instrument).filter(|record| measures(record, metric));
        table.rows.extend(told.map(|record| {
            let value = figures(record.value.unwrap_or_default());
            vec![(*what).to_owned(), place.title(), record.variant.clone(), value]
        }));
    }
    let heading = "What an op leaves behind";
    let under = format!("{}, {heading}", trap.name);
    html! { @if !table.rows.is_empty() { h3 { (heading) } (blocks::table(&table, &under)) } }
}

// Where the advice wins, where it does not, and where nothing can be said.
fn advice(trap: &TrapView<'_>) -> Markup {
    let Some(name) = Gist::of(trap).and_then(|gist| gist.advice) else { return html! {} };
    let found = advice::found(trap, name);
    let said = advice::by_word(&found);
    let told = |(place, row): &advice::Found<'_>| format!("{} ({})", place.title(), row.said());
    html! {
        @if !said.is_empty() {
            div.advice {
                h3 { "Where " code { (name) } " pays" }
                dl { @for (word, alike) in &said { div {
                    dt class={ "verdict " (word_class(word)) } { (word) }
                    dd { @for (at, found) in alike.iter().enumerate() { @if at > 0 { "; " } (prose(&told(found))) } }
                } } }
            }
        }
    }
}

fn beside<'a>(trap: &TrapView<'a>, column: &Column<'a>, source: &str) -> Markup {
    let rows = trap.headlines().first().map(|place| trap.rows(column, *place)).unwrap_or_default();
    let of = |role| {
        rows.iter()
            .find(|row| row.role == role)
            .and_then(|row| Some((row.variant, crate::report::code(source, row.variant)?)))
    };
    let (habit, fix) = (of(Role::Trap), of(Role::Fix));
    html! {
        @if habit.is_some() || fix.is_some() {
            div.beside {
                @for (what, shown) in [("The trap", habit), ("The advice", fix)] {
                    @if let Some((name, text)) = shown { (listing(trap, what, name, &text)) }
                }
            }
            p.aside {
                "The code is that of trapline " (env!("CARGO_PKG_VERSION"))
                "; the records are of commit " (commits(trap, column)) "."
            }
        }
    }
}

fn listing(trap: &TrapView<'_>, what: &str, name: &str, text: &str) -> Markup {
    let under = format!("{}, code of {name}", trap.name);
    html! { div { h3 { (what) ": " code { (name) } } (code::coloured(text, &under)) } }
}

fn commits<'a>(trap: &TrapView<'a>, column: &Column<'a>) -> String {
    let mut commits: Vec<String> = trap.runs(column).iter().map(|run| ground::commit(&run.provenance)).collect();
    commits.dedup();
    commits.join("; ")
}

// The rows of each headline point as bars on one axis.
fn headlines<'a>(trap: &TrapView<'a>, column: &Column<'a>) -> Markup {
    let points: Vec<(Place<'_>, Vec<Row<'_>>)> =
        trap.headlines().into_iter().map(|place| (place, trap.rows(column, place))).collect();
    let layouts = |row: &Row<'_>| row.ratio.map(|ratio| ratio.samples.clone()).unwrap_or_default();
    html! {
        div.headlines {
            @for (place, rows) in &points {
                @if let Some(axis) = Log::over(rows.iter().filter_map(Row::span).flatten().chain(rows.iter().flat_map(layouts)).chain([0.9, 1.1]), forest::ACROSS) {
                    @if rows.iter().any(|row| row.span().is_some()) {
                        table.bars {
                            caption { (prose(&place.title())) }
                            thead { tr { th scope="col" { "variant" } th scope="col" { "trap ÷ variant" (forest::scale(&axis)) } th scope="col" { "verdict" } } }
                            tbody { @for row in rows.iter().filter(|row| row.role != Role::Trap) { tr {
                                th scope="row" { (breakable(row.variant)) @if row.role != Role::Fix { " (" (row.role.word()) ")" } }
                                td { @if let Some(span) = row.span() { (forest::bar(&axis, span, &layouts(row), &row.word())) } (prose(&row.said())) }
                                td class={ "verdict " (class(row)) } { (row.word()) @if row.role == Role::Opposite { ", and is no advice" } }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

// What is no advice is neither good nor bad.
fn class(row: &Row<'_>) -> &'static str {
    if row.role == Role::Opposite { "even" } else { word_class(&row.word()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::made_up_archives;
    use crate::report::view::View;

    #[test]
    fn what_a_case_means_stands_before_the_first_number() {
        let archive = made_up_archives::archive();
        let view = View::of(&archive);
        let page = section(&view.traps()[0], None).into_string();
        let meaning =
            "<dt>case owning</dt><dd>each record owns a heap string, a <code>Box&lt;str&gt;</code> of 16 bytes";
        let (meaning, numbers) = (page.find(meaning), page.find("<table"));
        assert!(meaning.is_some() && meaning < numbers, "{page}");
    }
}
