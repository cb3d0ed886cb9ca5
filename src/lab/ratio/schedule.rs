//! How every point is timed: fixed from the check before the first pass, and equal in all processes.

use std::time::Duration;

use super::protocol::{PointPlan, SAME};
use crate::lab::session::check::Sound;
use crate::lab::session::ring::Blocks;
use crate::routine::layout::CLASSES;
use crate::routine::{WARM_UP, place};
use crate::trap::{Instrument, Point, Shape, Trap};

// What the rounds of a process may take that measures all points of a trap. Rounds were a tenth of the variance with twice as
// much, and processes three quarters: time is better spent on processes.
const BUDGET: Duration = Duration::from_millis(200);
const MOST: usize = 11;
// A headline point counts for two.
const HEADLINE: u32 = 2;
// Of runs of many ms, each of which is a mean over thousands of ops.
const FEWEST: usize = 2;
// Rounds of points with more threads than cores, each of which is half a second long.
const CROWD: usize = 2;

// To wake a crew.
const WAKE: Duration = Duration::from_micros(300);

const ALONE: Duration = Duration::from_micros(100);
// Each run has stamps of its own, so that a block needs no length to hide its ends.
const GATHER: Duration = Duration::from_millis(4);
// Ten time slices: with fewer, threads that share a core hardly meet.
const OVERFULL: Duration = Duration::from_millis(40);
// Workers are called together anew for each run, which has stamps of its own: a longer block is more of the same.
const OVERFULL_GATHER: Duration = Duration::from_millis(20);

/// What all traps' plans have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How long a window is.
    pub(super) window: Duration,
    /// How many passes there are.
    pub(super) passes: usize,
}

/// The plans of a trap's points, with a planted slowdown at those that `planted` names. Headline points come first in every
/// process, so that they have the same past whether or not the others follow; crowds come last.
pub(super) fn plans(trap: &Trap, sound: &[Sound], terms: Terms, planted: &[usize]) -> Vec<PointPlan> {
    // Of all points, measured or not, so that --quick has the rounds of a full run.
    let timed = |p: &&Point| p.is_for(Instrument::Ratio) && !crowded(p);
    let shares: u32 = trap.points.iter().filter(timed).map(weight).sum();
    let plan = |sound: &&Sound| {
        let point = sound.place_in(trap);
        let mut arms: Vec<&str> =
            trap.variants_seen(&sound.point, Instrument::Ratio).map(|v| v.name).chain([SAME]).collect();
        if planted.contains(&point) {
            arms.extend(super::planted::arms(sound.point.threads));
        }
        let (blocks, digest, every) = (blocks(sound, terms.window), sound.digest, every(&sound.point, terms.passes));
        let rounds = rounds(sound, blocks, arms.len(), BUDGET * weight(&sound.point) / shares.max(1));
        PointPlan { point, digest, arms: arms.into_iter().map(str::to_owned).collect(), blocks, rounds, every }
    };
    let mut order: Vec<&Sound> = sound.iter().collect();
    order.sort_by_key(|sound| (crowded(&sound.point), !sound.point.headline));
    order.iter().map(plan).collect()
}

// Only headline points carry claims: they have a process in every pass. Other points have two a layout, and so have headline
// points with more threads than cores, which take a second; other crowds have one.
fn every(point: &Point, passes: usize) -> usize {
    match (point.headline, crowded(point)) {
        (true, false) => 1,
        (true, true) | (false, false) => passes.div_ceil(2),
        (false, true) => passes,
    }
}

/// Where a process's blocks lie within a line. With enough passes it is a part of the pass, so that at points of every pass
/// layouts differ by it in nothing; with fewer the layouts take turns. A point that has two turns, half the passes apart, finds
/// two places.
pub(super) fn class(passes: usize, layout: usize, pass: usize) -> usize {
    let half = passes.div_ceil(2);
    let place = if passes >= CLASSES { pass % half + 2 * (pass / half) } else { layout + pass + pass / half };
    place % CLASSES
}

fn weight(point: &Point) -> u32 {
    if point.headline { HEADLINE } else { 1 }
}

fn crowded(point: &Point) -> bool {
    point.threads > place::available()
}

fn blocks(sound: &Sound, window: Duration) -> Blocks {
    match (sound.shape, crowded(&sound.point)) {
        (Shape::Alone, _) => Blocks::AtLeast(ALONE),
        (Shape::Gather, true) => Blocks::AtLeast(OVERFULL_GATHER),
        (_, true) => Blocks::AtLeast(OVERFULL),
        (Shape::Team, false) => Blocks::Window(window),
        (Shape::Gather | Shape::Waiting, false) => Blocks::AtLeast(GATHER),
    }
}

// As many as its share of the budget holds.
fn rounds(sound: &Sound, blocks: Blocks, arms: usize, share: Duration) -> usize {
    if crowded(&sound.point) {
        return CROWD;
    }
    let one = match blocks {
        Blocks::Window(length) => (WAKE + WARM_UP + length).as_nanos() as f64 * arms as f64,
        // An untimed run goes before each block that is not gathered. The trap's own stands for the controls, which the check did
        // not see.
        Blocks::AtLeast(least) => {
            let untimed = f64::from(u8::from(!sound.shape.waits()));
            let block = |ns: f64| untimed * ns + ns.max(1.1 * least.as_nanos() as f64);
            let seen: f64 = sound.ns.iter().map(|&ns| block(ns)).sum();
            seen + block(sound.ns.first().copied().unwrap_or_default()) * (arms as f64 - sound.ns.len() as f64)
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
    let of = |(trap, sound): (&'a Trap, &Sound)| (trap.name, sound.place_in(trap));
    let ns = |sound: &Sound| sound.ns.first().copied().unwrap_or(f64::MAX);
    let short = |s: &Sound| s.shape == Shape::Alone && ns(s) <= LONGEST_PLANTED;
    let alone = headlines().filter(|(_, s)| short(s)).min_by(|(_, a), (_, b)| ns(a).total_cmp(&ns(b)));
    let team = headlines().find(|(_, s)| s.shape == Shape::Team && !crowded(&s.point));
    alone.map(of).into_iter().chain(team.map(of)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trap::{Variant, routine};

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
        cases: &[],
        variants: &[Variant::trap("slow", |_| routine((), |()| 1)), Variant::fix("fast", |_| routine((), |()| 1))],
        blind: &[],
    };

    fn sound(at: usize, shape: Shape, ns: f64) -> Sound {
        Sound { point: POINTS[at], digest: 7, shape, ns: vec![ns; 2] }
    }

    fn terms(passes: usize) -> Terms {
        Terms { window: Duration::from_millis(2), passes }
    }

    #[test]
    fn headlines_come_first_and_have_a_process_in_every_pass() {
        let all = [sound(2, Shape::Team, 1e5), sound(1, Shape::Alone, 5e7), sound(0, Shape::Alone, 500.0)];
        let plans = plans(&TRAP, &all, terms(8), &[0]);
        assert_eq!(plans.iter().map(|p| p.point).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(plans.iter().map(|p| p.every).collect::<Vec<_>>(), [1, 4, 8]);
        assert_eq!(plans.iter().map(|p| p.rounds).collect::<Vec<_>>(), [MOST, FEWEST, CROWD]);
        assert_eq!(plans[0].arms, ["slow", "fast", "same", "planted_5_percent"]);
        assert_eq!(plans[2].blocks, Blocks::AtLeast(OVERFULL));
    }

    #[test]
    fn every_layout_has_a_turn_at_every_point_whatever_the_number_of_passes() {
        let all = [sound(0, Shape::Alone, 500.0), sound(1, Shape::Alone, 5e7), sound(2, Shape::Team, 1e5)];
        for passes in 1..9 {
            for (plan, most) in plans(&TRAP, &all, terms(passes), &[]).iter().zip([passes, 2, 1]) {
                for layout in 0..10 {
                    let turns = (0..passes).filter(|&pass| plan.has_turn(layout, pass)).count();
                    assert!((1..=most).contains(&turns), "{turns} turns of {passes}: {plan:?}");
                }
            }
        }
    }

    #[test]
    fn a_layout_meets_all_places_in_eight_passes_and_two_in_two_turns() {
        let places = |passes: usize, layout, step: usize| -> Vec<usize> {
            (layout % step..passes).step_by(step).map(|pass| class(passes, layout, pass)).collect()
        };
        for layout in 0..10 {
            let all = places(8, layout, 1);
            assert!((0..CLASSES).all(|place| all.iter().filter(|&&p| p == place).count() == 2), "{all:?}");
        }
        for (passes, layout) in (2..17).flat_map(|passes| (0..10).map(move |layout| (passes, layout))) {
            let two = places(passes, layout, passes.div_ceil(2));
            assert!(two.len() < 2 || two[0] != two[1], "{passes} passes, layout {layout}: {two:?}");
        }
    }

    #[test]
    fn a_slowdown_is_planted_at_headline_points_only() {
        let all = [sound(0, Shape::Alone, 500.0), sound(1, Shape::Alone, 5.0), sound(2, Shape::Team, 1e5)];
        assert_eq!(planted(&[(&TRAP, &all)]), [("made_up", 0)]);
        let slow = [sound(0, Shape::Alone, 1e6)];
        assert_eq!(planted(&[(&TRAP, &slow)]), []);
    }
}
