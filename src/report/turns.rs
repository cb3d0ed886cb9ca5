//! Where the advice turns: the bracket between two neighbouring points that are decided, and not alike.

use super::model::Block;
use super::number::{TIE, count, many};
use super::place::Place;
use super::verdict::Word;
use super::view::TrapView;
use crate::trap::Role;

/// A decided row, as a point on an axis.
#[derive(Clone, Debug)]
struct Decided<'a> {
    variant: &'a str,
    place: Place<'a>,
    word: Word,
}

/// One way from point to point: what varies, all else equal.
pub(super) struct Axis {
    // The position along the axis and what must be equal; None where a point does not lie on it.
    pub(super) at: fn(&Place<'_>) -> Option<(f64, String)>,
    pub(super) name: fn(&Place<'_>) -> String,
}

/// Every way: over n, over threads, over a size in the name of the case.
pub(super) const AXES: [Axis; 3] = [
    Axis {
        at: |p| Some((p.n as f64, format!("{}\u{1f}{}", p.threads, p.case))),
        name: |p| format!("n{TIE}={TIE}{}", count(p.n as f64)),
    },
    Axis { at: |p| Some((p.threads as f64, format!("{}\u{1f}{}", p.n, p.case))), name: |p| many(p.threads, "thread") },
    Axis {
        at: |p| size(p.case).map(|(size, rest)| (size, format!("{}\u{1f}{}\u{1f}{rest}", p.n, p.threads))),
        name: |p| p.case.into(),
    },
];

/// Variants, and between which points what is said of them changes.
pub(super) fn of(trap: &TrapView<'_>) -> Vec<(String, String)> {
    let decided = decided(trap);
    AXES.iter().flat_map(|axis| along(axis, &decided)).collect()
}

pub(super) fn blocks(trap: &TrapView<'_>) -> Vec<Block> {
    let turns = of(trap);
    if turns.is_empty() {
        return Vec::new();
    }
    vec![Block::Heading("Where it turns".into()), Block::Facts(turns)]
}

fn decided<'a>(trap: &TrapView<'a>) -> Vec<Decided<'a>> {
    let mut decided = Vec::new();
    for (column, place) in trap.column.into_iter().flat_map(|c| trap.places().into_iter().map(move |p| (c, p))) {
        for row in trap.rows(column, place).iter().filter(|r| matches!(r.role, Role::Fix | Role::Opposite)) {
            let word = row.verdict.filter(|_| row.is_decided()).map(|verdict| verdict.word);
            decided.extend(word.map(|word| Decided { variant: row.variant, place, word }));
        }
    }
    decided
}

fn along(axis: &Axis, decided: &[Decided<'_>]) -> Vec<(String, String)> {
    let mut placed: Vec<(&Decided<'_>, f64, String)> =
        decided.iter().filter_map(|d| (axis.at)(&d.place).map(|(at, rest)| (d, at, rest))).collect();
    let key = |d: &(&Decided<'_>, f64, String)| (d.0.variant.to_owned(), d.2.clone());
    placed.sort_by(|a, b| key(a).cmp(&key(b)).then(a.1.total_cmp(&b.1)));
    let turn =
        |pair: &&[(&Decided<'_>, f64, String)]| key(&pair[0]) == key(&pair[1]) && pair[0].0.word != pair[1].0.word;
    placed.windows(2).filter(turn).map(|pair| bracket(axis, pair[0].0, pair[1].0)).collect()
}

fn bracket(axis: &Axis, from: &Decided<'_>, to: &Decided<'_>) -> (String, String) {
    let [a, b] = [from, to].map(|d| format!("{}, where it {}", (axis.name)(&d.place), d.word.word()));
    let named = (axis.name)(&from.place);
    let rest: Vec<String> = from.place.title().split(", ").filter(|part| *part != named).map(Into::into).collect();
    let rest = if rest.is_empty() { String::new() } else { format!(" ({})", rest.join(", ")) };
    (from.variant.into(), format!("between {a}, and {b}{rest}"))
}

/// The one number in a case, in units of its prefix, and what is left of the text: `reads=90`, `4KiB`, `256 B`.
fn size(case: &str) -> Option<(f64, String)> {
    let start = case.find(|c: char| c.is_ascii_digit())?;
    let digits = case[start..].find(|c: char| !c.is_ascii_digit()).map_or(case.len(), |length| start + length);
    let (unit, rest) = unit(case[digits..].trim_start());
    let alone = !rest.contains(|c: char| c.is_ascii_digit());
    let number: f64 = case[start..digits].parse().ok()?;
    alone.then(|| (number * unit, format!("{}#{rest}", &case[..start])))
}

// Bytes in any of their units are one axis.
fn unit(text: &str) -> (f64, String) {
    let units = [("KiB", 1024.0), ("MiB", 1_048_576.0), ("kB", 1e3), ("MB", 1e6), ("B", 1.0)];
    let found = units.iter().find_map(|(word, bytes)| Some((*bytes, format!("B{}", text.strip_prefix(word)?))));
    found.unwrap_or((1.0, text.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_with_one_number_lie_on_an_axis() {
        assert_eq!(size("16B"), Some((16.0, "#B".into())));
        assert_eq!(size("4 KiB"), Some((4096.0, "#B".into())));
        assert_eq!(size("reads=90"), Some((90.0, "reads=#".into())));
        assert_eq!(size("owning"), None);
        assert_eq!(size("reads=99,work=500"), None);
    }
}
