//! How every point is timed: fixed from the check before the first pass, and equal in all processes.

use std::time::Duration;

use super::protocol::{PointPlan, SAME};
use crate::lab::session::check::Sound;
use crate::lab::session::ring::Blocks;
use crate::routine::place;
use crate::trap::{Shape, Trap};

// What the rounds of one trap may take in one process. Rounds were a tenth of the variance with half as much again, and processes
// three quarters: time is better spent on processes.
const BUDGET: Duration = Duration::from_millis(400);
const FEWEST: usize = 5;
const MOST: usize = 15;
// Rounds of points with more threads than cores, which are measured in the first pass only.
const CROWD: usize = 3;
// A headline point counts for two.
const HEADLINE: u32 = 2;

const ALONE: Duration = Duration::from_micros(100);
// Each run has stamps of its own, so that a block needs no length to hide its ends.
const GATHER: Duration = Duration::from_millis(4);
// Ten time slices: with fewer, threads that share a core hardly meet.
const OVERFULL: Duration = Duration::from_millis(40);

/// The plans of a trap's points, with a planted slowdown at those that `planted` names.
pub(super) fn plans(trap: &Trap, sound: &[Sound], window: Duration, planted: &[usize]) -> Vec<PointPlan> {
    let shares: u32 = sound.iter().filter(|s| !crowded(s)).map(weight).sum();
    let plan = |sound: &Sound| {
        let point = place_of(trap, sound);
        let mut arms: Vec<&str> = trap.variants_at(&sound.point).map(|v| v.name).chain([SAME]).collect();
        if planted.contains(&point) {
            arms.extend(super::planted::arms(sound.point.threads));
        }
        let (blocks, digest, once) = (blocks(sound, window), sound.digest, crowded(sound));
        let rounds = rounds(sound, blocks, arms.len(), BUDGET * weight(sound) / shares.max(1));
        PointPlan { point, digest, arms: arms.into_iter().map(str::to_owned).collect(), blocks, rounds, once }
    };
    sound.iter().map(plan).collect()
}

fn place_of(trap: &Trap, sound: &Sound) -> usize {
    trap.points.iter().position(|p| *p == sound.point).unwrap_or_default()
}

fn weight(sound: &Sound) -> u32 {
    if sound.point.headline { HEADLINE } else { 1 }
}

fn crowded(sound: &Sound) -> bool {
    sound.point.threads > place::available()
}

fn blocks(sound: &Sound, window: Duration) -> Blocks {
    match (sound.shape, crowded(sound)) {
        (Shape::Alone, _) => Blocks::AtLeast(ALONE),
        (_, true) => Blocks::AtLeast(OVERFULL),
        (Shape::Team, false) => Blocks::Window(window),
        (Shape::Gather, false) => Blocks::AtLeast(GATHER),
    }
}

// As many as its share of the budget holds.
fn rounds(sound: &Sound, blocks: Blocks, arms: usize, share: Duration) -> usize {
    if crowded(sound) {
        return CROWD;
    }
    let one = match blocks {
        // With waking and warming up.
        Blocks::Window(length) => 1.7 * length.as_nanos() as f64 * arms as f64,
        // An untimed run goes before each block that is not gathered. The trap's own stands for the controls, which the check did
        // not see.
        Blocks::AtLeast(least) => {
            let untimed = f64::from(u8::from(sound.shape != Shape::Gather));
            let block = |ns: f64| untimed * ns + ns.max(1.1 * least.as_nanos() as f64);
            let seen: f64 = sound.ns.iter().map(|&ns| block(ns)).sum();
            seen + block(sound.ns.first().copied().unwrap_or_default()) * (arms - sound.ns.len()) as f64
        }
    };
    ((share.as_nanos() as f64 / one) as usize).clamp(FEWEST, MOST)
}

// A block must hold twenty of the trap's runs without being made longer: blocks of unequal length are not like each other, for
// the first runs of a block are the dearest.
const LONGEST_PLANTED: f64 = 5_000.0;

/// Where slowdowns are planted: one single-threaded and one threaded headline point of all that were checked. The
/// single-threaded one has the shortest run; the threaded one must be timed in windows.
pub(super) fn planted<'a>(traps: &[(&'a Trap, &'a [Sound])]) -> Vec<(&'a str, usize)> {
    let headlines = || {
        traps.iter().flat_map(|(trap, sound)| sound.iter().map(move |s| (*trap, s))).filter(|(_, s)| s.point.headline)
    };
    let of = |(trap, sound): (&'a Trap, &Sound)| (trap.name, place_of(trap, sound));
    let ns = |sound: &Sound| sound.ns.first().copied().unwrap_or(f64::MAX);
    let short = |s: &Sound| s.shape == Shape::Alone && ns(s) <= LONGEST_PLANTED;
    let alone = headlines().filter(|(_, s)| short(s)).min_by(|(_, a), (_, b)| ns(a).total_cmp(&ns(b)));
    let team = headlines().find(|(_, s)| s.shape == Shape::Team && !crowded(s));
    alone.map(of).into_iter().chain(team.map(of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::{Point, Variant, routine};

    const POINTS: &[Point] = &[Point::n(10).headline(), Point::n(1_000), Point::n(10).threads(4_096)];
    const TRAP: Trap = Trap {
        name: "made_up",
        title: "Made up",
        section: "tests",
        habit: "None.",
        claims: &[],
        counts: "ops",
        op: "one op",
        points: POINTS,
        variants: &[Variant::trap("slow", |_| routine((), |()| 1)), Variant::fix("fast", |_| routine((), |()| 1))],
        blind: &[],
    };

    fn sound(at: usize, shape: Shape, ns: f64) -> Sound {
        Sound { point: POINTS[at], digest: 7, shape, ns: vec![ns; 2] }
    }

    #[test]
    fn rounds_are_what_fits_and_never_fewer_than_five_or_more_than_15() {
        let all = [sound(0, Shape::Alone, 500.0), sound(1, Shape::Alone, 5e7), sound(2, Shape::Team, 1e5)];
        let plans = plans(&TRAP, &all, Duration::from_millis(2), &[0]);
        assert_eq!(plans.iter().map(|p| p.rounds).collect::<Vec<_>>(), [MOST, FEWEST, CROWD]);
        assert_eq!(plans.iter().map(|p| p.once).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(plans[0].arms, ["slow", "fast", "same", "planted_5_percent"]);
        assert_eq!(plans[2].blocks, Blocks::AtLeast(OVERFULL));
    }

    #[test]
    fn a_slowdown_is_planted_at_headline_points_only() {
        let all = [sound(0, Shape::Alone, 500.0), sound(1, Shape::Alone, 5.0), sound(2, Shape::Team, 1e5)];
        assert_eq!(planted(&[(&TRAP, &all)]), [("made_up", 0)]);
        let slow = [sound(0, Shape::Alone, 1e6)];
        assert_eq!(planted(&[(&TRAP, &slow)]), []);
    }
}
