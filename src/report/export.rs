//! Records for other tools: as a table, and whole.

use serde_json::json;

use super::cell::Missing;
use crate::record::{Archive, Record, Run};

const COLUMNS: [&str; 24] = [
    "trap",
    "n",
    "threads",
    "case",
    "headline",
    "variant",
    "role",
    "instrument",
    "metric",
    "unit",
    "value",
    "low",
    "high",
    "missing",
    "run",
    "started",
    "machine",
    "allocator",
    "commit",
    "dirty",
    "quick",
    "solo",
    "unpinned",
    "partial",
];

/// Every record as a row of comma-separated values (RFC 4180), with what it rests on. `dirty` (whether the work tree had
/// changes), `quick`, `solo` and `unpinned` are `true` or `false` of its run, and `partial` says why that ended early. What
/// is unknown is empty.
///
/// # Errors
/// If the library can't write it.
pub fn csv(archive: &Archive) -> Result<String, Box<dyn std::error::Error>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for record in &archive.records {
        table.write_record(row(archive, record))?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn row(archive: &Archive, record: &Record) -> [String; 24] {
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    let word = |word: Option<&String>| word.cloned().unwrap_or_default();
    let run = archive.run_of(record);
    let ground = run.map(|run| &run.provenance);
    let flag = |of: fn(&Run) -> Option<bool>| run.and_then(of).map_or(String::new(), |is| is.to_string());
    [
        record.trap.clone(),
        record.n.to_string(),
        record.threads.to_string(),
        record.case.clone(),
        record.headline.to_string(),
        record.variant.clone(),
        record.role.word().into(),
        record.instrument.word().into(),
        word(record.metric.as_ref()),
        word(record.unit.as_ref()),
        number(record.value),
        number(record.low),
        number(record.high),
        Missing::of(record).map_or(String::new(), |missing| format!("{}: {}", missing.word, missing.why)),
        record.run.clone(),
        run.map_or(String::new(), |run| run.started.clone()),
        word(ground.and_then(|ground| ground.cpu.as_ref())),
        word(ground.and_then(|ground| ground.allocator.as_ref())),
        word(ground.and_then(|ground| ground.commit.as_ref())),
        flag(|run| run.provenance.dirty),
        flag(|run| Some(run.quick)),
        flag(|run| Some(run.solo)),
        flag(|run| Some(run.unpinned)),
        word(run.and_then(|run| run.partial.as_ref())),
    ]
}

/// Runs and records as one JSON object, as they are in the files.
///
/// # Errors
/// If a record can't be put in words.
pub fn json(archive: &Archive) -> Result<String, serde_json::Error> {
    let whole = json!({ "runs": archive.runs, "records": archive.records });
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::made_up_archives;

    #[test]
    fn every_record_is_a_row_of_as_many_cells() {
        let mut archive = made_up_archives::archive();
        archive.records[0].case = "a \"case\", with\na break".into();
        let text = csv(&archive).expect("a table");
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let rows: Vec<_> = table.records().collect::<Result<_, _>>().expect("rows alike");
        assert_eq!(rows.len(), archive.records.len());
        assert_eq!(&rows[0][3], archive.records[0].case);
        assert!(rows.iter().any(|row| row[13].starts_with("failed: ")) && rows.iter().all(|row| !row[15].is_empty()));
    }

    #[test]
    fn what_makes_a_number_citable_is_told_of_its_run() {
        let mut archive = made_up_archives::columns();
        archive.runs.retain(|run| run.run != "heap-1");
        let table = csv(&archive).expect("a table");
        let told = |run: &str| -> Vec<String> {
            let line = table.lines().find(|line| line.contains(&format!(",{run},"))).expect("a record");
            line.split(',').map(str::to_owned).collect::<Vec<_>>()[19..].to_vec()
        };
        assert_eq!(&COLUMNS[19..], ["dirty", "quick", "solo", "unpinned", "partial"]);
        assert_eq!(told("ratio-1"), ["false", "false", "false", "false", ""]);
        assert_eq!(told("ratio-5"), ["true", "true", "false", "false", ""]);
        assert_eq!(told("ratio-4")[2], "true");
        assert_eq!(told("ratio-0")[3], "true");
        assert_eq!(told("ratio-3")[4], "interrupted");
        assert_eq!(told("heap-1"), [""; 5], "nothing is known of a run whose line is lost");
    }

    #[test]
    fn json_holds_what_the_files_hold() {
        let archive = made_up_archives::archive();
        let whole: serde_json::Value = serde_json::from_str(&json(&archive).expect("text")).expect("JSON");
        let records: Vec<Record> = serde_json::from_value(whole["records"].clone()).expect("records");
        let same =
            |(a, b): (&Record, &Record)| a.same_cell(b) && a.metric == b.metric && a.samples.len() == b.samples.len();
        assert!(records.len() == archive.records.len() && records.iter().zip(&archive.records).all(same));
        assert_eq!(whole["runs"].as_array().map(Vec::len), Some(archive.runs.len()));
    }
}
