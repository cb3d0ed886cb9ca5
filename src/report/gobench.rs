//! Results as Go's benchmark text, for whoever knows `benchstat`: a line a process.
//!
//! Source: the Go project, [Proposal 14313: Go Benchmark Data Format](https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md).

use super::cell::measures;
use super::view::{TrapView, View};
use crate::record::{Archive, Record, Run};
use crate::trap::{Instrument, Role};

/// What the ratio target timed in Rust, with what a run allocates where the heap target counted it, as Go's benchmark text:
/// `benchstat -col /variant` reads it. An op of Go's is a run of `n` ops here. Empty where nothing was timed.
#[must_use]
pub fn gobench(archive: &Archive) -> String {
    let view = View::of(archive);
    let Some(run) = view.columns.first().and_then(super::column::Column::run) else { return String::new() };
    let lines: Vec<String> = view.traps().iter().flat_map(of_trap).collect();
    header(run) + &lines.concat()
}

fn header(run: &Run) -> String {
    let cpu = run.provenance.cpu.as_deref().unwrap_or("unknown");
    let host = run.provenance.rustc.as_deref().and_then(|rustc| rustc.split("host: ").nth(1)).unwrap_or_default();
    let arch = match host.split('-').next().unwrap_or_default() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let os = ["linux", "darwin", "windows"].into_iter().find(|os| host.contains(os)).unwrap_or("unknown");
    format!("goos: {os}\ngoarch: {arch}\npkg: trapline\ncpu: {cpu}\n")
}

fn of_trap(trap: &TrapView<'_>) -> Vec<String> {
    let timed = trap.all(Instrument::Ratio).filter(|r| r.role != Role::Control && measures(r, "ns_per_op"));
    timed.flat_map(|record| lines(trap, record)).collect()
}

fn lines(trap: &TrapView<'_>, record: &Record) -> Vec<String> {
    let counted = |metric: &str| {
        let same = |r: &&Record| r.point() == record.point() && r.variant == record.variant && measures(r, metric);
        trap.all(Instrument::Heap).filter(same).last().and_then(|r| r.value)
    };
    let [bytes, blocks] = [("bytes", "B/op"), ("blocks", "allocs/op")]
        .map(|(metric, unit)| counted(metric).map_or(String::new(), |value| format!("\t{value} {unit}")));
    let name = name(record);
    let processes = record.processes.iter().flatten();
    let whole = |ns: &f64| format!("{name}\t1\t{} ns/op{bytes}{blocks}\n", ns * record.n as f64);
    if record.processes.is_empty() {
        record.samples.iter().map(whole).collect()
    } else {
        processes.map(whole).collect()
    }
}

fn name(record: &Record) -> String {
    let case = if record.case.is_empty() { String::new() } else { format!("/case={}", record.case) };
    let (trap, n, threads, variant) = (benchmark(&record.trap), record.n, record.threads, &record.variant);
    format!("Benchmark{trap}/n={n}/threads={threads}{case}/variant={variant}")
}

/// The name of a trap's benchmark in Go: `VecGrowth` of `vec_growth`.
#[must_use]
pub fn benchmark(trap: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    trap.split('_').filter(|word| !word.is_empty()).map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{made_up_archives, made_up_go};

    #[test]
    fn a_benchmark_is_named_as_go_names_are() {
        assert_eq!(benchmark("vec_growth"), "VecGrowth");
        assert_eq!(benchmark("prevented"), "Prevented");
    }

    #[test]
    fn each_process_has_a_line_of_a_run_with_what_it_allocates() {
        let text = gobench(&made_up_go::archive());
        let name = "BenchmarkVecGrowth/n=100/threads=1/case=plain/variant=push_unsized\t1\t";
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(name)).collect();
        assert_eq!(lines.len(), 30, "ten layouts of three processes:\n{text}");
        assert!(lines.iter().all(|line| line.ends_with(" ns/op\t16128 B/op")), "{lines:?}");
        assert!(!text.contains("same") && !text.contains("null"));
        assert_eq!(text.lines().nth(3), Some("cpu: Made-up CPU @ 2.80GHz"));
    }

    #[test]
    fn nothing_timed_is_nothing_said() {
        assert_eq!(gobench(&Archive::default()), "");
        assert!(gobench(&made_up_archives::archive()).starts_with("goos: "));
    }
}
