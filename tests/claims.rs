//! Every claim has something that bears on it, in both languages or with the reason why not: records in `docs/results`, or a test.

use std::collections::BTreeSet;
use std::path::Path;

use trapline::catalog::TRAPS;
use trapline::claims::{At, CLAIMS, Claim, Effect, Evidence};
use trapline::record::{Archive, Record};

/// All ids that there are.
const IDS: &str =
    "A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 C1 C2 C3 C4 D1 D2 D3 E1 E2 E3 E4 E5 E6 E7 F1 F2 F3 F4 F5 F6 G1 G2 G3 H1 H2 I1 I2 I3";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has(archive: &Archive, trap: &str, evidence: Evidence) -> bool {
    let Evidence::Records(instrument, metric, effect, points) = evidence else { return true };
    let wanted = match effect {
        Effect::Of(arm) => vec![(arm, metric)],
        Effect::Over(a, b) => vec![(a, metric), (b, metric)],
        Effect::Share(arm, of) => vec![(arm, metric), (arm, of)],
    };
    let is = |r: &Record, At(n, threads, case): At, arm: &str, metric: &str| {
        let here = (r.trap.as_str(), r.n, r.threads, r.case.as_str()) == (trap, n, threads, case);
        // A quantile that can't be told is a finding as well: its record says why.
        let told = r.metric.as_deref() == Some(metric) && (r.value.is_some() || r.blind.is_some());
        here && r.instrument == instrument && r.variant == arm && told
    };
    let found = |at: At, (arm, metric): (&str, &str)| archive.records.iter().any(|r| is(r, at, arm, metric));
    points.iter().all(|at| wanted.iter().all(|one| found(*at, *one)))
}

fn is_there(archive: &Archive, claim: &Claim, evidence: Evidence) -> bool {
    match evidence {
        Evidence::Derived(of, _) => CLAIMS.iter().any(|claim| claim.id == of),
        Evidence::Test(path) | Evidence::Prevented(path) => root().join(path).exists(),
        Evidence::Nothing(why) => !why.is_empty(),
        Evidence::Records(..) | Evidence::Planted | Evidence::Ranking => has(archive, claim.trap, evidence),
    }
}

#[test]
fn every_claim_has_a_record_or_a_test_that_bears_on_it_in_each_language() {
    let archive = Archive::read_tree(&root().join("docs/results")).expect("the records can be read");
    let mut without = Vec::new();
    for claim in CLAIMS {
        for (part, evidence) in claim.parts.iter().flat_map(|part| [(part, part.rust), (part, part.go)]) {
            if !is_there(&archive, claim, evidence) {
                without.push(format!("{}, {}: {evidence:?}", claim.id, part.what));
            }
        }
    }
    assert_eq!(without, [""; 0], "nothing in docs/results bears on these");
}

#[test]
fn every_claim_is_there_once_and_in_order() {
    assert_eq!(CLAIMS.iter().map(|claim| claim.id).collect::<Vec<_>>(), IDS.split(' ').collect::<Vec<_>>());
}

#[test]
fn every_claim_that_a_trap_names_is_of_that_trap() {
    let stated: BTreeSet<(&str, &str)> = CLAIMS.iter().map(|claim| (claim.id, claim.trap)).collect();
    let named: BTreeSet<(&str, &str)> =
        TRAPS.iter().flat_map(|trap| trap.claims.iter().map(|id| (*id, trap.name))).collect();
    assert_eq!(named.difference(&stated).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}
