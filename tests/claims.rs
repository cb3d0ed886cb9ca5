//! Every claim is there once, and those that a trap names are its own. What bears on them is tests/results.rs's.

use std::collections::BTreeSet;

use trapline::catalog::TRAPS;
use trapline::claims::CLAIMS;

/// All ids that there are.
const IDS: &str =
    "A1 A2 A3 A4 A5 A6 B1 B2 B3 B4 C1 C2 C3 C4 D1 D2 D3 E1 E2 E3 E4 E5 E6 E7 F1 F2 F3 F4 F5 F6 G1 G2 G3 H1 H2 I1 I2 I3";

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
