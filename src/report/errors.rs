//! What failed, for the end of a terminal's output, where it is seen.

use super::text::hanging;
use super::wrap::WIDTH;
use crate::record::Archive;

/// The failed rows in so many lines at most, those of one reason together.
pub(super) fn lines(archive: &Archive, room: usize) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for record in &archive.records {
        let Some(why) = record.failed.as_deref() else { continue };
        let row = format!("{} at {}, {}", record.trap, record.point(), record.variant);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, rows)) => rows.push(row),
            None => reasons.push((why, vec![row])),
        }
    }
    let lines = damage(archive).chain(reasons.iter().map(|(why, rows)| one(why, rows)));
    fitted(lines.flat_map(|text| hanging("error: ", &text)).collect(), room)
}

fn damage(archive: &Archive) -> impl Iterator<Item = String> {
    archive.damage.iter().map(ToString::to_string)
}

fn one(why: &str, rows: &[String]) -> String {
    match rows {
        [row] => format!("{row}: {why}"),
        [first, others @ ..] => format!("{first}, and {} more: {why}", others.len()),
        [] => why.into(),
    }
}

fn fitted(mut lines: Vec<String>, room: usize) -> Vec<String> {
    if lines.len() > room {
        lines.truncate(room.saturating_sub(1));
        lines.push("error: and more; all of them: cargo run -- report".into());
    }
    debug_assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    lines
}
