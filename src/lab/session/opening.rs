//! What a run has before it measures: its executable, its store and its circumstances.

use std::path::Path;
use std::time::SystemTime;

use super::args::Args;
use super::error::SessionError;
use super::machine;
use super::paths::target_name;
use super::progress::Progress;
use crate::record::{Record, Run, SCHEMA, Store, TrapNote};
use crate::trap::{Instrument, Role, Trap};

pub(super) fn read_executable() -> Result<Vec<u8>, SessionError> {
    let path = std::env::current_exe().unwrap_or_default();
    std::fs::read(&path).map_err(|source| SessionError::Io { verb: "read", path, source })
}

pub(super) fn open_store(folder: &Path, instrument: Instrument, progress: &Progress) -> Result<Store, SessionError> {
    let mut store = Store::open(&folder.join("records"), instrument)?;
    for damage in store.damage() {
        progress.note(&format!("error: {damage}"));
    }
    if let Some(path) = store.set_aside()? {
        progress.note(&format!("the good lines are kept; the damaged file is set aside as {}", path.display()));
    }
    Ok(store)
}

// Cells of points, variants and traps that the code no longer has would stay in the report for good.
pub(super) fn forget(store: &mut Store, known: &[Trap], progress: &Progress) {
    let is_stated = |record: &Record| {
        let trap = known.iter().find(|t| t.name == record.trap);
        let at = trap.and_then(|t| {
            t.points.iter().find(|p| (p.n, p.threads, p.case) == (record.n, record.threads, &record.case))
        });
        at.is_some() && (record.role == Role::Control || trap.is_some_and(|t| t.variant(&record.variant).is_some()))
    };
    drop_others(store, is_stated, progress);
}

pub(super) fn drop_others(store: &mut Store, is_stated: impl Fn(&Record) -> bool, progress: &Progress) {
    match store.forget(&target_name(), is_stated) {
        0 => {}
        gone => progress
            .note(&format!("{gone} records of points, variants or traps that are no longer in the code are dropped")),
    }
}

pub(super) fn circumstances(instrument: Instrument, args: &Args, traps: &[&Trap], executable: &[u8]) -> Run {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    Run {
        schema: SCHEMA,
        run: format!("{}-{}-{}", instrument.word(), started.replace([':', '-'], ""), std::process::id()),
        instrument,
        started,
        command: std::env::args().collect::<Vec<_>>().join(" "),
        quick: args.quick,
        solo: args.solo,
        unpinned: args.unpinned,
        target: target_name(),
        sweeps: None,
        layouts: None,
        partial: None,
        traps: traps.iter().map(|&t| TrapNote::from(t)).collect(),
        probes: Vec::new(),
        stolen: None,
        provenance: machine::provenance(executable),
        source: String::new(),
    }
}
