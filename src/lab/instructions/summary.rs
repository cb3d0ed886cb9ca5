//! Takes the counts out of the `summary.json` that iai-callgrind's runner leaves.

use serde_json::Value;

/// The counts of one case, by the names of the records' metrics.
pub(super) type Counts = [(&'static str, u64); 5];

// iai-callgrind's name of each count, and ours.
const METRICS: [(&str, &str); 5] = [
    ("Ir", "instructions"),
    ("L1hits", "l1_hits"),
    ("LLhits", "ll_hits"),
    ("RamHits", "ram_hits"),
    ("EstimatedCycles", "estimated_cycles"),
];

const TOTAL: &str = "/profiles/0/summaries/total/summary/Callgrind";

/// Reads the counts. No instructions at all is an error: it means that the counted function was not found.
pub(super) fn counts(json: &str) -> Result<Counts, String> {
    let summary: Value = serde_json::from_str(json).map_err(|e| format!("iai-callgrind's summary is not JSON: {e}"))?;
    let total = summary.pointer(TOTAL).ok_or_else(|| format!("iai-callgrind's summary has no {TOTAL}"))?;
    let mut counts = METRICS.map(|(_, metric)| (metric, 0));
    for ((_, value), (theirs, _)) in counts.iter_mut().zip(METRICS) {
        *value = count(total, theirs).ok_or_else(|| format!("iai-callgrind's summary has no count of {theirs}"))?;
    }
    if counts[0].1 == 0 { Err(NOTHING_COUNTED.into()) } else { Ok(counts) }
}

const NOTHING_COUNTED: &str = "callgrind counted 0 instructions: it did not find the counted function, as in an executable \
    that was stripped; build with strip = \"none\" in the bench profile";

// `Left` in a first run; `Both`, of new and old, where an earlier profile lay beside it.
fn count(total: &Value, name: &str) -> Option<u64> {
    let metrics = total.get(name)?.get("metrics")?;
    let new = metrics.get("Left").or_else(|| metrics.pointer("/Both/0"))?;
    new.get("Int")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(side: impl Fn(u64) -> String) -> String {
        let metric = |(name, value): (&str, u64)| format!(r#""{name}":{{"diffs":null,"metrics":{}}}"#, side(value));
        let names = METRICS.map(|(theirs, _)| theirs);
        let metrics: Vec<_> = names.into_iter().zip([1200, 1500, 7, 3, 1640]).map(metric).collect();
        let total = format!(r#"{{"regressions":[],"summary":{{"Callgrind":{{{}}}}}}}"#, metrics.join(","));
        format!(r#"{{"version":"6","profiles":[{{"tool":"Callgrind","summaries":{{"parts":[],"total":{total}}}}}]}}"#)
    }

    const READ: Counts =
        [("instructions", 1200), ("l1_hits", 1500), ("ll_hits", 7), ("ram_hits", 3), ("estimated_cycles", 1640)];

    #[test]
    fn reads_a_first_run() {
        assert_eq!(counts(&summary(|v| format!(r#"{{"Left":{{"Int":{v}}}}}"#))), Ok(READ));
    }

    #[test]
    fn reads_the_new_side_of_a_comparison() {
        assert_eq!(counts(&summary(|v| format!(r#"{{"Both":[{{"Int":{v}}},{{"Int":1}}]}}"#))), Ok(READ));
    }

    #[test]
    fn an_old_run_alone_is_not_a_count() {
        let error = counts(&summary(|v| format!(r#"{{"Right":{{"Int":{v}}}}}"#)));
        assert_eq!(error, Err("iai-callgrind's summary has no count of Ir".into()));
    }

    #[test]
    fn nothing_counted_is_an_error_with_a_way_out() {
        let error = counts(&summary(|_| r#"{"Left":{"Int":0}}"#.into())).expect_err("0 is not a count");
        assert!(error.contains("strip = \"none\""), "{error}");
    }

    #[test]
    fn a_summary_of_another_shape_is_an_error() {
        assert!(counts("{}").is_err_and(|e| e.contains("/profiles/0")));
        assert!(counts("").is_err_and(|e| e.contains("not JSON")));
    }
}
