//! # Reclaiming too eagerly, or too late
//!
//! What has expired stays where it is until a sweep over everything, and how often that happens is a setting.
//!
//! ## In Go
//!
//! ```go
//! debug.SetGCPercent(300)       // the default, 100, collects when there is as much garbage as there is live
//! debug.SetMemoryLimit(1 << 30) // and a ceiling beside it
//! ```
//!
//! ## In Rust
//!
//! Nobody collects; only similar is a table of sessions that `retain` sweeps. Alike is the setting: garbage ÷ live, at which
//! the sweep begins. The price is not. A cycle of Go's costs what is *live*, garbage is nearly free, and most of it is done
//! beside the program. `retain` walks live and garbage and frees each dead session, all of it within one request. So "three
//! times less often" should make pauses rarer and longer here.
//!
//! ## Why it costs
//!
//! A sweep visits every place of the table, taken or not, and the table never shrinks: its cost goes with the most that there
//! ever was. A dead session that owns memory is freed besides, two blocks here. At three times the interval live sessions are
//! visited a third as often and as many dead ones freed: a little less work in all, in longer pauses.
//!
//! Expected: sessions that own memory pause for longer at 300 % than at 100 %, so that the advice *loses* at p99, and holds twice
//! the memory, (1 + 3) ÷ (1 + 1). Sessions that own nothing are swept in so little of the time that p99 is clean at both.
//!
//! ## When the fix loses
//!
//! - At the tail, where what is dropped owns memory.
//! - Where memory is short: at 300 % the peak is four times what is live. A ceiling bounds it, if it is above what is live.
//! - `sweep_at_12` visits all live sessions eight times as often as the trap does, and loses what a smaller heap does not win.
//! - `expiry_wheel` loses time to rare sweeps, for it looks up each session once more; and it must know when one will end.
//!
//! ## What to measure it with
//!
//! Latency: a sweep is within one request, and others wait behind it. Time; heap for the peak, which is of one run's blocks,
//! without the table, and a tenth low at 900 %; usage for resident memory.
//!
//! ## Sources
//!
//! - Go, "A Guide to the Go Garbage Collector", on GOGC and the memory limit; `runtime/mgcpacer.go`
//! - Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987
//! - hashbrown, `RawTable::erase` and `reserve_rehash` in `src/raw/mod.rs`; the documentation of `HashMap::retain`

use std::collections::HashMap;
use std::sync::Arc;

use crate::trap::{Ended, Instrument, Point, Routine, Stream, Trap, Variant, in_place, stream};
use crate::workload::{OneState, POOL, Shifted, rng, shared};

/// How many requests a session lives on average, and so how many live at once, for each request opens one.
pub const LIVE: u64 = 4_096;
/// No session lives so long: lives are uniform between a half and three halves of that.
pub const LONGEST: u64 = LIVE * 3 / 2;

/// Opens a session, with so many words in its cart, and looks up one of so many requests ago. Its number is the time.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    user: u64,
    life: u16,
    back: u16,
    items: u16,
}

/// A session with a token and a cart, two blocks; or with neither, of the same size.
#[derive(Debug)]
struct Session {
    user: u64,
    expires: u64,
    token: Option<Box<[u64; 4]>>,
    cart: Vec<u64>,
}

impl Session {
    fn new(now: u64, r: &Request) -> Self {
        let token = (r.items > 0).then(|| Box::new([r.user; 4]));
        Self { user: r.user, expires: now + u64::from(r.life), token, cart: vec![r.user; r.items.into()] }
    }

    fn owned(&self) -> usize {
        self.token.as_deref().map_or(0, size_of_val) + size_of_val(&*self.cart)
    }
}

/// The table, and how many bytes its sessions own, live or expired. All arms count, and run this code: it is never inlined.
#[derive(Debug)]
pub struct Sessions {
    by_id: HashMap<u64, Session, OneState>,
    owned: usize,
}

impl Sessions {
    #[inline(never)]
    fn open(&mut self, id: u64, session: Session) {
        self.owned += session.owned();
        self.owned -= self.by_id.insert(id, session).map_or(0, |old| old.owned());
    }

    /// The user of a session; none of one that has expired, whether it is still there or not.
    #[inline(never)]
    fn user(&self, id: u64, now: u64) -> Option<u64> {
        self.by_id.get(&id).filter(|session| session.expires > now).map(|session| session.user)
    }

    #[inline(never)]
    fn remove(&mut self, id: u64) {
        self.owned -= self.by_id.remove(&id).map_or(0, |old| old.owned());
    }

    // Code of sweep_at_100 and sweep_at_300.
    /// Lets go of all that has expired.
    #[inline(never)]
    pub fn sweep(&mut self, now: u64) {
        self.by_id.retain(|_, session| {
            let lives = session.expires > now;
            self.owned -= if lives { 0 } else { session.owned() };
            lives
        });
    }
}

/// Serves a request: opens a session, looks one up, and answers with its user, or with 0. The ids are for who reclaims to say.
pub fn request(table: &mut Sessions, id: impl Fn(u64) -> u64, now: u64, r: &Request) -> u64 {
    table.open(id(now), Session::new(now, r));
    table.user(id(now - u64::from(r.back)), now).unwrap_or_default()
}

trait Reclaim: 'static {
    /// The id of the session that the request of this number opens.
    fn id(number: u64) -> u64 {
        number
    }

    /// The most sessions that there are at once, be they live or expired, if each owns so many bytes.
    fn most(&self, _: usize) -> u64 {
        LONGEST
    }

    /// What is done about it at the end of a request.
    fn after(&mut self, table: &mut Sessions, now: u64, request: &Request);
}

// Code of sweep_at_100 and sweep_at_300.
/// A sweep every so many requests, which is how much garbage there may be, and whenever more bytes are owned than the ceiling.
struct Sweeping {
    every: u64,
    left: u64,
    ceiling: usize,
}

const fn sweep(every: u64) -> Sweeping {
    Sweeping { every, left: every, ceiling: usize::MAX }
}

const UNDER_CEILING: Sweeping = Sweeping { ceiling: CEILING, ..sweep(3 * LIVE) };

impl Reclaim for Sweeping {
    fn most(&self, owned: usize) -> u64 {
        let under_ceiling = self.ceiling.checked_div(owned).map_or(u64::MAX, |sessions| sessions as u64);
        self.every.saturating_add(LIVE).min(under_ceiling)
    }

    // Code of sweep_at_100 and sweep_at_300.
    fn after(&mut self, table: &mut Sessions, now: u64, _: &Request) {
        self.left -= 1;
        if self.left == 0 || table.owned > self.ceiling {
            self.left = self.every;
            table.sweep(now);
        }
    }
}

/// A hashed timing wheel: who expires is in the slot of that request, beside those of later turns. Its slots are a power of two.
struct Wheel(Vec<Vec<(u64, u64)>>);

impl Reclaim for Wheel {
    fn after(&mut self, table: &mut Sessions, now: u64, request: &Request) {
        let (slot, expires) = (self.0.len() as u64 - 1, now + u64::from(request.life));
        self.0[(expires & slot) as usize].push((expires, Self::id(now)));
        let due = self.0[(now & slot) as usize].extract_if(.., |(expires, _)| *expires <= now);
        due.for_each(|(_, id)| table.remove(id));
    }
}

/// No session outlives a turn of it, so that few share a slot.
fn wheel() -> Wheel {
    Wheel(vec![Vec::new(); LONGEST.next_power_of_two() as usize])
}

/// The floor: a session takes id and place of one that has surely expired, opened longer ago than any that is looked up.
struct Recycled;

impl Reclaim for Recycled {
    fn id(number: u64) -> u64 {
        number % LONGEST
    }

    fn after(&mut self, _: &mut Sessions, _: u64, _: &Request) {}
}

/// What a session owns on average: a token, and eight words in its cart.
const OWNED: usize = 32 + 8 * 8;
const CEILING: usize = LIVE as usize * OWNED * 3 / 2;
/// How many requests hold whole sweeps of all arms: 72, 9, 3 and 1.
const WHOLE: u64 = 9 * LIVE;

fn requests(p: &Point) -> Shifted<Request> {
    let (mut rng, owns) = (rng(42), u16::from(p.case == "owning"));
    let mut next = || Request {
        user: rng.u64(),
        life: rng.within(LIVE / 2..LONGEST) as u16,
        back: rng.within(1..LONGEST) as u16,
        items: owns * rng.within(2..15) as u16,
    };
    Shifted::new((0..POOL).map(|_| next()).collect())
}

/// A service: the table lives on from run to run, and time goes on.
struct Service<R> {
    requests: Arc<Shifted<Request>>,
    table: Sessions,
    reclaim: R,
    now: u64,
    answer: u64,
}

impl<R: Reclaim> Service<R> {
    // Late enough to be after the first. Removed entries use up their places: a table would grow to twice what it holds.
    fn new(p: &Point, reclaim: R) -> Self {
        let owned = if p.case == "owning" { OWNED } else { 0 };
        let by_id = HashMap::with_capacity_and_hasher(2 * reclaim.most(owned) as usize, OneState::default());
        let table = Sessions { by_id, owned: 0 };
        Self { requests: shared(p, requests), table, reclaim, now: WHOLE, answer: 0 }
    }

    fn op(&mut self) -> u64 {
        let r = self.requests[self.now as usize % POOL];
        let user = request(&mut self.table, R::id, self.now, &r);
        self.reclaim.after(&mut self.table, self.now, &r);
        self.now += 1;
        user
    }

    fn serve(&mut self, n: u64) {
        self.answer = (0..n).fold(0, |sum, _| sum.wrapping_add(self.op()));
    }
}

fn arm(p: &Point, reclaim: impl Reclaim) -> Box<dyn Routine> {
    let n = p.n;
    in_place(Service::new(p, reclaim), move |service| service.serve(n), |service| &service.answer)
}

const WARM_UP: u64 = 3 * WHOLE;

fn paced(p: &Point, reclaim: impl Reclaim) -> Box<dyn Stream> {
    let mut service = Service::new(p, reclaim);
    service.serve(WARM_UP);
    let op = |service: &mut Service<_>, _| service.answer = service.answer.wrapping_add(service.op());
    stream(service, op, |service| Ended::answer(service.answer))
}

/// Paced without memory of its own: a case of its own, for an arm is left out by case.
const PLAIN: &str = "plain,paced";
const WHY: &str = "three intervals tell whether a walk alone is seen; the others' time is in `plain`";

/// The catalog entry.
pub const TRAP: Trap = Trap {
    name: "reclaim_interval",
    title: "Reclaiming too eagerly, or too late",
    section: "memory",
    habit: "leave the collector at its default, which sweeps when there is as much garbage as there is live",
    claims: &["D2", "D3"],
    counts: "requests",
    op: "one request: a session opened, another looked up, and what is reclaimed then",
    points: &[
        Point::n(WHOLE).case("owning").headline(),
        Point::n(98_304).case("owning").every(2_000).headline(),
        Point::n(WHOLE).case("plain"),
        Point::n(98_304).case(PLAIN).every(2_000),
    ],
    cases: &[
        ("owning", "a session owns two heap blocks, of 32 bytes and of 16 to 112"),
        ("plain", "a session owns no heap memory; it takes as much room in the table"),
        ("paced", "a request is due each 2 µs; only the sweeps at 100, 300 and 12 % are measured"),
    ],
    variants: &[
        // Code of sweep_at_100.
        Variant::trap("sweep_at_100", |p| arm(p, sweep(LIVE))).stream(|p| paced(p, sweep(LIVE))),
        // Code of sweep_at_300.
        Variant::fix("sweep_at_300", |p| arm(p, sweep(3 * LIVE))).stream(|p| paced(p, sweep(3 * LIVE))),
        Variant::fix("sweep_at_12", |p| arm(p, sweep(LIVE / 8))).stream(|p| paced(p, sweep(LIVE / 8))),
        Variant::fix("sweep_under_ceiling", |p| arm(p, UNDER_CEILING))
            .stream(|p| paced(p, UNDER_CEILING))
            .not_in(PLAIN, WHY),
        Variant::fix("expiry_wheel", |p| arm(p, wheel())).stream(|p| paced(p, wheel())).not_in(PLAIN, WHY),
        Variant::opposite("sweep_at_900", |p| arm(p, sweep(WHOLE)))
            .stream(|p| paced(p, sweep(WHOLE)))
            .not_in(PLAIN, WHY),
        Variant::floor("recycled_ids", |p| arm(p, Recycled)).stream(|p| paced(p, Recycled)).not_in(PLAIN, WHY),
    ],
    blind: &[(Instrument::Instructions, "one run is 36 864 requests, the fewest that hold a sweep of each arm")],
};

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn service<R: Reclaim>(reclaim: R) -> Service<R> {
        Service::new(&Point::n(WHOLE).case("owning"), reclaim)
    }

    /// The most sessions and the most bytes that there are at once, after a warm-up of one run.
    fn peaks<R: Reclaim>(reclaim: R) -> (usize, usize) {
        let mut service = service(reclaim);
        service.serve(WHOLE);
        (0..WHOLE).fold((0, 0), |(sessions, bytes), _| {
            service.op();
            (sessions.max(service.table.by_id.len()), bytes.max(service.table.owned))
        })
    }

    #[test]
    fn every_arm_answers_as_a_list_of_all_sessions_does() {
        let mut reference = Vec::new();
        let all = requests(&TRAP.points[0]);
        for p in [Point::n(20_000).case("owning"), Point::n(20_000).case("plain")] {
            reference.clear();
            let answer = (0..p.n).fold(0_u64, |sum, number| {
                let r = all[(WHOLE + number) as usize % POOL];
                reference.push((r.user, number + u64::from(r.life)));
                let asked = number.checked_sub(r.back.into()).map(|at| reference[at as usize]);
                sum.wrapping_add(asked.filter(|(_, expires)| *expires > number).map_or(0, |(user, _)| user))
            });
            for variant in TRAP.variants {
                assert_eq!((variant.batch)(&p).digest(), answer, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn streams_agree_where_they_are_seen_and_go_on_from_their_warm_up() {
        for p in TRAP.points.iter().filter(|p| p.every.is_some()) {
            let mut in_row = Service::new(p, Recycled);
            in_row.serve(WARM_UP);
            let warm = in_row.answer;
            in_row.serve(500);
            let expected = Ended::answer(warm.wrapping_add(in_row.answer));
            for variant in TRAP.variants_at(p) {
                let mut stream = variant.stream.expect("all have one")(p);
                (0..500).for_each(|_| stream.op(Instant::now()));
                assert_eq!(stream.end(), expected, "{} at {p}", variant.name);
            }
        }
    }

    #[test]
    fn three_arms_are_paced_where_nothing_is_owned_and_all_are_elsewhere() {
        let seen = TRAP.points.iter().map(|p| TRAP.variants_at(p).count());
        assert_eq!(seen.collect::<Vec<_>>(), [7, 7, 7, 3]);
        let names = TRAP.variants_at(&TRAP.points[3]).map(|v| v.name);
        assert_eq!(names.collect::<Vec<_>>(), ["sweep_at_100", "sweep_at_300", "sweep_at_12"]);
    }

    #[test]
    fn garbage_is_what_the_interval_lets_be() {
        let near = |sessions: usize, of_live: f64, what: &str| {
            let ratio = sessions as f64 / LIVE as f64;
            assert!((ratio / of_live - 1.0).abs() < 0.04, "{what}: {ratio} times what is live");
        };
        near(peaks(sweep(LIVE / 8)).0, 1.125, "12 %");
        near(peaks(sweep(LIVE)).0, 2.0, "100 %");
        near(peaks(sweep(3 * LIVE)).0, 4.0, "300 %");
        near(peaks(sweep(WHOLE)).0, 10.0, "900 %");
        near(peaks(wheel()).0, 1.0, "wheel");
        assert_eq!(peaks(Recycled).0 as u64, LONGEST);
    }

    #[test]
    fn no_table_grows_however_long_it_is_swept() {
        fn grows<R: Reclaim>(case: &'static str, reclaim: R) -> bool {
            let mut service = Service::new(&Point::n(WHOLE).case(case), reclaim);
            let before = service.table.by_id.capacity();
            service.serve(20 * WHOLE);
            service.table.by_id.clear();
            service.table.by_id.capacity() != before
        }
        for every in [LIVE / 8, LIVE, 3 * LIVE, WHOLE] {
            assert!(!grows("owning", sweep(every)), "every {every}");
        }
        assert!(!grows("owning", wheel()) && !grows("owning", Recycled));
        // No ceiling is reached where nothing is owned.
        assert!(!grows("owning", UNDER_CEILING) && !grows("plain", UNDER_CEILING));
    }

    #[test]
    fn a_ceiling_bounds_the_peak_whatever_the_interval_and_is_above_what_lives() {
        for every in [3 * LIVE, WHOLE, u64::MAX] {
            let (_, bytes) = peaks(Sweeping { ceiling: CEILING, ..sweep(every) });
            assert!(bytes <= CEILING + 32 + 8 * 14, "every {every}: {bytes} bytes");
        }
        let mut service = service(UNDER_CEILING);
        service.serve(2 * WHOLE);
        service.table.sweep(service.now);
        assert!(10 * service.table.owned < 8 * CEILING, "{} bytes live", service.table.owned);
    }

    #[test]
    fn the_count_of_bytes_is_that_of_what_is_there() {
        fn holds<R: Reclaim>(reclaim: R) {
            let mut service = service(reclaim);
            for _ in 0..3 {
                service.serve(LIVE);
                let owned: usize = service.table.by_id.values().map(Session::owned).sum();
                assert_eq!(service.table.owned, owned);
            }
        }
        holds(sweep(LIVE / 8));
        holds(UNDER_CEILING);
        holds(wheel());
        holds(Recycled);
    }

    #[test]
    fn a_wheel_keeps_who_is_of_a_later_turn() {
        let (mut small, mut table) = (service(Wheel(vec![Vec::new(); 8])), service(sweep(1)));
        small.serve(3 * LIVE);
        table.serve(3 * LIVE);
        assert_eq!(small.answer, table.answer);
        small.table.by_id.values().for_each(|session| assert!(session.expires >= small.now));
        assert_eq!(small.table.by_id.len(), small.reclaim.0.iter().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn a_third_of_look_ups_find_nobody() {
        let mut service = service(sweep(LIVE));
        service.serve(WHOLE);
        let absent = (0..WHOLE).filter(|_| service.op() == 0).count() as f64 / WHOLE as f64;
        assert!((0.32..0.35).contains(&absent), "{absent}");
    }

    #[test]
    fn runs_hold_whole_sweeps_and_whole_rounds_of_ids() {
        assert!([LIVE / 8, LIVE, 3 * LIVE].iter().all(|every| WHOLE.is_multiple_of(*every)));
        assert!(WHOLE.is_multiple_of(LONGEST));
    }
}
