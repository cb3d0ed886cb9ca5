//! What this process holds: nothing of one measurement may be left behind in the next.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Threads and open files of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footprint {
    threads: usize,
    files: usize,
}

// Threads that were told to end are still there for a while.
const SETTLING: Duration = Duration::from_secs(1);
const A_WHILE: Duration = Duration::from_millis(5);

impl Footprint {
    /// As it is now; none where there is no /proc.
    pub(super) fn now() -> Option<Self> {
        let count = |folder: &str| Some(fs::read_dir(folder).ok()?.count());
        Some(Self { threads: count("/proc/self/task")?, files: count("/proc/self/fd")? })
    }

    /// What is there beyond this, when what ends by itself has ended: a sentence, or nothing.
    pub(super) fn left_behind(self) -> Option<String> {
        let start = Instant::now();
        loop {
            let said = Self::now()?.beyond(self)?;
            if start.elapsed() >= SETTLING {
                return Some(said);
            }
            sleep(A_WHILE);
        }
    }

    fn beyond(self, before: Self) -> Option<String> {
        let (threads, files) = (self.threads.saturating_sub(before.threads), self.files.saturating_sub(before.files));
        (threads + files > 0)
            .then(|| format!("left behind by what was measured: threads {threads}, open files {files}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_before_was_left_behind_and_what_is_less_was_not() {
        let before = Footprint { threads: 2, files: 5 };
        assert_eq!(before.beyond(before), None);
        assert_eq!(Footprint { threads: 1, files: 4 }.beyond(before), None);
        let said = Footprint { threads: 3, files: 7 }.beyond(before).expect("more");
        assert_eq!(said, "left behind by what was measured: threads 1, open files 2");
    }
}
