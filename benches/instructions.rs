//! Instructions: exact counts of one run, by callgrind.

use std::path::Path;
use std::process::ExitCode;

use trapline::lab::instructions::{Session, measure, play};
use trapline::trap::{Point, Trap, Variant, routine};

const TRAPS: &[Trap] = &[Trap {
    name: "vec_growth",
    title: "Growing without a hint",
    section: "memory",
    habit: "append to a slice that was made without a capacity",
    claims: &[],
    counts: "records",
    op: "one record pushed",
    points: &[Point::n(100), Point::n(10_000), Point::n(50_000).headline()],
    variants: &[
        Variant::trap("push_unsized", |p| routine(p.len(), |&mut n| push(Vec::new(), n))),
        Variant::fix("push_presized", |p| routine(p.len(), |&mut n| push(Vec::with_capacity(n), n))),
    ],
    blind: &[],
}];

fn push(mut records: Vec<usize>, n: usize) -> Vec<usize> {
    for k in 0..n {
        records.push(k);
    }
    records
}

fn main() -> ExitCode {
    if let Some(code) = play(TRAPS) {
        return code;
    }
    let traps: Vec<&Trap> = TRAPS.iter().collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("trapline");
    let session = Session { traps: &traps, folder, run: "trial".into() };
    for record in measure(&session, &mut |what| println!("{what}")) {
        println!("{record:?}");
    }
    ExitCode::SUCCESS
}
