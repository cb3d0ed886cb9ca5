//! The ledger: every claim, what Rust and Go measured of it, and what that says by the one rule.

use super::books::{Books, Found, Language, evidence};
use super::cell::span;
use super::column::{Column, Kind, seen};
use super::in_go::InGo;
use super::judged::{Judged, Transfer};
use super::model::{Align, Block, Section, Table, note, paragraph};
use super::number::{NONE, count, figures, interval};
use super::ranking::{self, Saved};
use super::view::{TrapView, View};
use crate::claims::{CLAIMS, Claim, Evidence, Expected, Part};
use crate::record::Record;
use crate::trap::Role;

const EXPLAINED: &str = "Each claim with what was measured of it, in Rust and in Go, and what that says. It holds where the interval comes \
                         within a tenth of the published figure on a scale of logarithms, and nearer to it than to nothing, or, where only a direction \
                         was published, lies beyond 1.05; larger and smaller lie beyond that tenth. In a regime it is as large as published at the \
                         points that are named, or is there at these alone. It is undecided where the interval holds both. \
                         Go → Rust holds the effect in Rust against the one in Go, where Go has the most of it: same, weaker, \
                         stronger, absent, reversed, prevented (it does not compile), or unclear.";

/// The section; nothing where no trap of a claim was measured.
pub(super) fn section(view: &View<'_>, traps: &[TrapView<'_>]) -> Option<Section> {
    // A reader's own traps put no claim to the test.
    let any = traps.iter().any(|trap| CLAIMS.iter().any(|claim| claim.trap == trap.name));
    let blocks = || {
        let (claims, others): (Vec<&Claim>, Vec<&Claim>) = CLAIMS.iter().partition(|claim| is_asked(claim, view));
        let mut blocks = vec![paragraph(EXPLAINED), Block::Table(rows(view, traps, &claims))];
        let ids: Vec<&str> = others.iter().map(|claim| claim.id).collect();
        let told = || note(format!("not measured here, for there is no record of their traps: {}", ids.join(", ")));
        blocks.extend((!ids.is_empty()).then(told));
        blocks.extend(transfers(traps).map(Block::Table));
        blocks.extend(ranking::table(traps).map(Block::Table));
        blocks
    };
    any.then(|| Section { trap: None, heading: "The claims".into(), blocks: blocks() })
}

/// A row a claim.
pub(super) fn table(view: &View<'_>, traps: &[TrapView<'_>]) -> Table {
    rows(view, traps, &CLAIMS.iter().collect::<Vec<_>>())
}

// Whether its trap was measured; those of the method are of any.
fn is_asked(claim: &Claim, view: &View<'_>) -> bool {
    let measured = |name: &str| !view.of_trap(name).is_empty();
    claim.trap.starts_with('(') || measured(claim.trap)
}

fn rows(view: &View<'_>, traps: &[TrapView<'_>], claims: &[&Claim]) -> Table {
    let headers =
        ["id", "what is said", "published", "in Rust", "verdict", "in Go", "verdict in Go", "Go → Rust", "decided by"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    table.rows = claims.iter().map(|claim| row(&Books { view, traps }, claim)).collect();
    table
}

fn row(books: &Books<'_>, claim: &Claim) -> Vec<String> {
    let [rust, go] = [Language::Rust, Language::Go].map(|language| books.side(claim, language));
    let statement = claim.since.map_or(claim.statement.into(), |since| format!("{} ({since})", claim.statement));
    let transfer = claim.parts.first().map_or(NONE.into(), |part| books.transfer(claim, part));
    let mut sources: Vec<String> = [rust.sources, go.sources].concat();
    sources.sort();
    sources.dedup();
    let sources = if sources.is_empty() { NONE.into() } else { sources.join(", ") };
    let id = claim.id.into();
    vec![
        id,
        statement,
        claim.published.into(),
        rust.said,
        rust.judged.to_string(),
        go.said,
        go.judged.to_string(),
        transfer,
        sources,
    ]
}

// What one language has of a claim.
struct Side {
    said: String,
    judged: Judged,
    sources: Vec<String>,
}

impl Books<'_> {
    fn side(&self, claim: &Claim, language: Language) -> Side {
        let sides: Vec<Side> = claim.parts.iter().map(|part| self.part(claim, part, language)).collect();
        let told = |(side, part): (&Side, &Part)| {
            if claim.parts.len() > 1 && side.said != NONE {
                format!("{}: {}", part.what, side.said)
            } else {
                side.said.clone()
            }
        };
        let said: Vec<String> = sides.iter().zip(claim.parts).map(told).collect();
        let sources = sides.iter().flat_map(|side| side.sources.clone()).collect();
        let judged = sides.into_iter().map(|side| side.judged).reduce(Judged::both);
        let said = if said.iter().all(|said| said == NONE) { NONE.into() } else { said.join("; ") };
        Side { said, judged: judged.unwrap_or(Judged::Undecided), sources }
    }

    fn part(&self, claim: &Claim, part: &Part, language: Language) -> Side {
        let plain = |said: String, judged| Side { said, judged, sources: Vec::new() };
        match evidence(part, language) {
            Evidence::Nothing(why) => plain(NONE.into(), Judged::NotMeasured(why.into())),
            Evidence::Prevented(path) => plain(NONE.into(), Judged::Prevented(path)),
            Evidence::Test(path) => plain(part.what.into(), Judged::Tested(path)),
            Evidence::Derived(of, times) => self.derived(of, times, language),
            Evidence::Planted => self.planted(),
            Evidence::Ranking => {
                let saved =
                    if language == Language::Rust { ranking::in_rust(self.traps) } else { ranking::in_go(self.traps) };
                plain(ranking::said(&saved), ranked(&saved))
            }
            Evidence::Records(..) => match self.effects(claim, part, language) {
                Err(why) => plain(NONE.into(), Judged::NotMeasured(why)),
                Ok(found) => measured(part, &found),
            },
        }
    }

    // Arithmetic, and labelled so.
    fn derived(&self, of: &str, times: f64, language: Language) -> Side {
        let Some(claim) = CLAIMS.iter().find(|claim| claim.id == of) else {
            let judged = Judged::NotMeasured(format!("no claim {of}"));
            return Side { said: NONE.into(), judged, sources: Vec::new() };
        };
        let side = self.side(claim, language);
        let found = claim.parts.first().and_then(|part| self.effects(claim, part, language).ok());
        let total = found.and_then(|found| found.first().map(|found| found.effect[1] * times));
        let told = |total| format!("{} × what {of} has, by arithmetic: {}", count(times), count(total));
        Side { said: total.map_or(NONE.into(), told), ..side }
    }

    fn planted(&self) -> Side {
        let column = self.view.columns.first();
        let of = |kind| column.into_iter().flat_map(move |column: &Column<'_>| column.planted(kind, None));
        let planted: Vec<&Record> = [Kind::Single, Kind::Threaded].into_iter().flat_map(of).collect();
        let said: Vec<String> = planted.iter().filter_map(|record| span(record)).map(interval).collect();
        let judged = match () {
            () if said.is_empty() => {
                Judged::NotMeasured("no record of a planted slowdown; run cargo bench --bench ratio".into())
            }
            () if planted.iter().all(|record| seen(record)) => Judged::Holds,
            () => Judged::DoesNot,
        };
        let said = if said.is_empty() { NONE.into() } else { said.join(", ") };
        Side { said, judged, sources: planted.iter().map(|record| record.run.clone()).collect() }
    }

    // Of the point that both have at which Go has the most of it: that is where the advice comes from.
    fn transfer(&self, claim: &Claim, part: &Part) -> String {
        if claim.trap == "prevented" {
            return Transfer::Prevented.word().into();
        }
        let [rust, go] = [Language::Rust, Language::Go].map(|language| self.effects(claim, part, language));
        let (Ok(rust), Ok(go)) = (rust, go) else { return NONE.into() };
        let is_share = matches!(part.expected, Expected::Figure(from, _) if from <= 1.0);
        let of = if is_share { Transfer::of_shares } else { Transfer::of };
        most_in_go(&rust, &go).map_or(NONE.into(), |(rust, go)| of(rust, go).word().into())
    }
}

// The effects in both. What is counted at a point of Go's own is held beside that of Rust's.
fn most_in_go(rust: &[Found], go: &[Found]) -> Option<([f64; 3], [f64; 3])> {
    let pair = |go: &Found| Some((rust.iter().find(|rust| rust.at == go.at)?.effect, go.effect));
    let most = go.iter().filter_map(pair).max_by(|(_, a), (_, b)| a[1].total_cmp(&b[1]));
    most.or_else(|| Some((rust.last()?.effect, go.last()?.effect)))
}

fn ranked(saved: &[Saved<'_>]) -> Judged {
    match ranking::medians(saved) {
        Some([allocation, concurrency]) if allocation[0] > concurrency[2] => Judged::Holds,
        Some([allocation, concurrency]) if allocation[2] < concurrency[0] => Judged::DoesNot,
        Some(_) => Judged::Undecided,
        None => Judged::NotMeasured("no ratios of both kinds; run cargo bench --bench ratio".into()),
    }
}

fn measured(part: &Part, found: &[Found]) -> Side {
    let one = found.len() == 1;
    let told = |found: &Found| if one { told(found.effect) } else { format!("{} at {}", told(found.effect), found.at) };
    let told_from_noise = |found: &Found| (found.at.clone(), found.resolved.then_some(found.effect));
    let effects: Vec<_> = found.iter().map(told_from_noise).collect();
    Side {
        said: found.iter().map(told).collect::<Vec<_>>().join("; "),
        judged: Judged::of(&effects, part.expected),
        sources: found.iter().map(|found| found.run.clone()).collect(),
    }
}

// Exact counts have no interval, and nothing left is infinitely less.
fn told(effect: [f64; 3]) -> String {
    let [low, value, high] = effect;
    match () {
        () if value.is_infinite() => "all of it".into(),
        () if low == high => figures(value),
        () => interval(effect),
    }
}

/// A line a trap: the advice's ratio of time in both languages, where both have one.
fn transfers(traps: &[TrapView<'_>]) -> Option<Table> {
    let headers = ["trap", "point", "advice in Rust", "ratio", "advice in Go", "ratio in Go", "Go → Rust"];
    let mut table = Table::of(&headers.map(|header| (header, Align::Left)));
    table.rows = traps.iter().filter_map(transfer).collect();
    (!table.rows.is_empty()).then_some(table)
}

fn transfer(trap: &TrapView<'_>) -> Option<Vec<String>> {
    let (go, column) = (InGo::of(trap)?, trap.column?);
    let headlines = trap.headlines();
    headlines.iter().find_map(|place| {
        let rows = trap.rows(column, *place);
        let row = rows.iter().find(|row| row.role == Role::Fix && row.span().is_some())?;
        let ((advice, ratio), rust) = (go.advised(*place)?, row.span()?);
        let word = Transfer::of(rust, ratio).word();
        let said = [trap.name, &place.title(), row.variant, &interval(rust), advice, &interval(ratio), word];
        Some(said.map(str::to_owned).to_vec())
    })
}

/// The verdicts, in Rust and in Go.
#[cfg(test)]
pub(super) fn verdicts(view: &View<'_>, traps: &[TrapView<'_>]) -> Vec<(&'static str, [String; 2])> {
    let books = Books { view, traps };
    let of =
        |claim: &Claim| [Language::Rust, Language::Go].map(|language| books.side(claim, language).judged.to_string());
    CLAIMS.iter().map(|claim| (claim.id, of(claim))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(of: &[(&str, f64)]) -> Vec<Found> {
        let one =
            |&(at, value): &(&str, f64)| Found { at: at.into(), effect: [value; 3], resolved: true, run: "run".into() };
        of.iter().map(one).collect()
    }

    #[test]
    fn what_goes_over_is_judged_where_go_has_the_most_of_it() {
        let rust = found(&[("few", 2.0), ("many", 3.0), ("more", 9.0)]);
        let pair = |go: &[(&str, f64)]| most_in_go(&rust, &found(go)).map(|(rust, go)| (rust[1], go[1]));
        assert_eq!(pair(&[("few", 1.5), ("many", 4.0)]), Some((3.0, 4.0)));
        assert_eq!(pair(&[("few", f64::INFINITY), ("many", 4.0)]), Some((2.0, f64::INFINITY)));
        assert_eq!(pair(&[("elsewhere", 7.0)]), Some((9.0, 7.0)), "Go counts at a point of its own");
        assert_eq!(pair(&[]), None);
    }
}
