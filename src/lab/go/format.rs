//! Go's text format of benchmark results, as far as one process writes it.
//!
//! Source: the Go project, [Proposal 14313: Go Benchmark Data Format](https://go.googlesource.com/proposal/+/master/design/14313-benchmark-format.md).

use std::collections::BTreeMap;

/// A line with a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name of the benchmark, without `Benchmark`.
    pub name: String,
    /// What its parts after the first say, by key: `variant=append`. A part without `=` is left out.
    pub keys: BTreeMap<String, String>,
    /// How often it ran.
    pub runs: u64,
    /// The values, by unit.
    pub values: BTreeMap<String, f64>,
}

/// Reads a line: None of one that holds no result, such as `goos: linux` or `PASS`.
///
/// # Errors
/// If a line begins as a result does and is none.
pub fn parse(line: &str) -> Result<Option<Line>, String> {
    let mut words = line.split_whitespace();
    let Some(path) = words.next().and_then(|first| first.strip_prefix("Benchmark")) else { return Ok(None) };
    // A benchmark that says something has its name on a line of its own.
    let Some(runs) = words.next() else { return Ok(None) };
    let wrong = || format!("a line that is no result of a benchmark: {line}");
    let runs = runs.parse().map_err(|_| wrong())?;
    let rest: Vec<&str> = words.collect();
    let pair = |pair: &[&str]| match pair {
        [value, unit] => Some(((*unit).to_owned(), value.parse().ok()?)),
        _ => None,
    };
    let values: Option<BTreeMap<String, f64>> = rest.chunks(2).map(pair).collect();
    let values = values.ok_or_else(wrong)?;
    let (name, keys) = named(path);
    Ok(Some(Line { name, keys, runs, values }))
}

fn named(path: &str) -> (String, BTreeMap<String, String>) {
    let mut parts = plain(path).split('/');
    let name = parts.next().unwrap_or_default().to_owned();
    let keys = parts.filter_map(|part| part.split_once('=')).map(|(key, value)| (key.to_owned(), value.to_owned()));
    (name, keys.collect())
}

// Without GOMAXPROCS at the end, and without the number that Go puts behind the second of one name.
fn plain(path: &str) -> &str {
    let without = |path, mark| match str::rsplit_once(path, mark) {
        Some((before, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => before,
        _ => path,
    };
    without(without(path, '-'), '#')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Line {
        parse(line).expect("it is a result").expect("it is one")
    }

    #[test]
    fn a_result_has_a_name_its_keys_and_values_by_unit() {
        let line = read(
            "BenchmarkVecGrowth/n=100/case=reads=99,work=1us/variant=push#01-2  \t 3081\t 7285 ns/op\t 9728 B/op\t 0.5 p99-ns",
        );
        assert_eq!((line.name.as_str(), line.runs), ("VecGrowth", 3081));
        assert_eq!(line.keys["n"], "100");
        assert_eq!(line.keys["case"], "reads=99,work=1us");
        assert_eq!(line.keys["variant"], "push");
        assert_eq!(line.values["ns/op"], 7285.0);
        assert_eq!((line.values["B/op"], line.values["p99-ns"]), (9728.0, 0.5));
    }

    #[test]
    fn one_processor_leaves_no_number_behind_the_name() {
        let line = read("BenchmarkX/variant=slots_8 1 2e+06 ns/op");
        assert_eq!((line.keys["variant"].as_str(), line.values["ns/op"]), ("slots_8", 2e6));
    }

    #[test]
    fn a_benchmark_may_have_nothing_to_tell() {
        assert!(read("BenchmarkX/variant=a-2 21").values.is_empty());
    }

    #[test]
    fn what_is_no_result_is_none_and_a_broken_one_is_an_error() {
        for line in ["goos: linux", "PASS", "", "BenchmarkX/variant=a-2", "ok  trapline 1.2s"] {
            assert_eq!(parse(line), Ok(None), "{line}");
        }
        for line in ["BenchmarkX-2 many 3 ns/op", "BenchmarkX-2 3 4", "BenchmarkX-2 3 x ns/op"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
