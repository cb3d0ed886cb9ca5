//! How a report is to be read: its words, each once.

use super::model::{Block, Section, fact};

const WORDS: [(&str, &str); 18] = [
    (
        "trap, fix, floor, opposite",
        "the habit; what people do instead, the first of them being the advice; the least that the work can cost, which is no advice; and the fix overdone, which is none either, also where it wins",
    ),
    (
        "ratio",
        "time of the trap ÷ time of the variant: above 1 the variant is faster. In a process the median over rounds, in a layout the median over processes, then the geometric mean over layouts",
    ),
    (
        "[95 %]",
        "the interval over layouts: fresh processes of fresh links; points that are no headline, or have more threads than cores, have two a layout at most",
    ),
    ("wins, loses", "the whole interval lies more than 5 % from 1. Only headline points carry claims"),
    ("faster, slower", "the interval leaves out 1, but not 5 %: the size is open"),
    ("ties", "the interval holds 1 and lies within 5 % of it: a finding, too"),
    ("unclear", "the interval holds 1 and more than a tie"),
    (
        "unresolved",
        "the trap against itself scatters by more than this row lies from 1, or the run missed a planted slowdown of 5 %",
    ),
    ("by layout", "layouts differ (permutation test, p < 0.01), and some of them would have another word"),
    ("split", "some layouts win and some lose"),
    ("withheld", "no word: others had the cores, as the note below says"),
    (
        "next link",
        "from the lowest to the highest layout: of L layouts, the next one falls in it with probability (L − 1) ÷ (L + 1)",
    ),
    ("saved", "time of the trap less time of the variant, an op; from the ratio's interval, so that both say the same"),
    ("CPU, CPUs", "CPU time of all threads an op, and CPU time ÷ wall time: waiting is a trap's own cost"),
    (
        "strip",
        "where each layout's ratio fell, between the numbers above it, on a log scale: · one layout, : two, + more, | at 1.0",
    ),
    ("one run", "exact counts of one run, all n ops of it, counted three times; a range where they differed"),
    ("ᵃ ᵇ", "from another run than the newest full one, as the note below says"),
    ("–", "does not apply; n/a, skipped and failed say why below"),
];

pub(super) fn section() -> Section {
    let facts = WORDS.iter().map(|&(word, what)| fact(word, what)).collect();
    Section { trap: None, heading: "How to read it".into(), blocks: vec![Block::Facts(facts)] }
}
