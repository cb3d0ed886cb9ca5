//! A cgroup in which a process has the time of fewer CPUs than there are.
//!
//! Of a quota the kernel makes a budget a period of 100 ms; who has used it up stands still until the period ends. Source: the
//! Linux kernel's documentation, "CFS Bandwidth Control" (version 1) and "Control Group v2", section "CPU Interface Files".

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use procfs::process::{MountInfo, Process};
use serde::{Deserialize, Serialize};

const PERIOD_US: u32 = 100_000;

/// A group for one process, which goes with it.
#[derive(Debug)]
pub(super) struct Quota {
    /// Its folder.
    pub(super) group: PathBuf,
}

impl Quota {
    /// A group with the time of so many CPUs, below the one that this process is in.
    ///
    /// # Errors
    /// If there can be none here: what was tried, and why it failed.
    pub(super) fn new(cpus: u32) -> Result<Self, String> {
        let (above, version) = controller().ok_or("no quota can be set: no cgroup here has the controller of CPUs")?;
        let quota = Self { group: above.join(format!("trapline-{}", std::process::id())) };
        let (file, limit) = match version {
            1 => ("cpu.cfs_quota_us", format!("{}", cpus * PERIOD_US)),
            _ => ("cpu.max", format!("{} {PERIOD_US}", cpus * PERIOD_US)),
        };
        let made = fs::create_dir(&quota.group).and_then(|()| fs::write(quota.group.join(file), limit));
        made.map_err(|why| format!("no quota can be set in {}: {why}", above.display()))?;
        Ok(quota)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        // Nothing is in it any more; where it was not made, there is nothing to remove.
        let _ = fs::remove_dir(&self.group);
    }
}

/// Puts this process into a group: before its first thread, and before it asks how many CPUs there are.
pub(super) fn enter(group: &Path) -> io::Result<()> {
    // 0 stands for who writes.
    fs::write(group.join("cgroup.procs"), "0")
}

/// What a group's `cpu.stat` has counted, ns and counts; nothing without a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Throttled {
    pub(super) periods: Option<f64>,
    pub(super) throttled: Option<f64>,
    pub(super) time: Option<f64>,
}

impl Throttled {
    /// As it is now.
    pub(super) fn now(group: &Path) -> Self {
        Self::read(&fs::read_to_string(group.join("cpu.stat")).unwrap_or_default())
    }

    fn read(stat: &str) -> Self {
        let of = |key: &str| {
            let value = stat.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
            value.and_then(|value| value.trim().parse::<f64>().ok())
        };
        let time = of("throttled_time").or(of("throttled_usec").map(|us| 1e3 * us));
        Self { periods: of("nr_periods"), throttled: of("nr_throttled"), time }
    }
}

// The folder of the group that this process is in, and the version of its hierarchy.
fn controller() -> Option<(PathBuf, u32)> {
    let me = Process::myself().ok()?;
    let (mounts, groups) = (me.mountinfo().ok()?.0, me.cgroups().ok()?.0);
    let inside = |mount: &MountInfo, own: &str| {
        let folder = mount.mount_point.join(own.trim_start_matches('/'));
        // In a container a group can have a name that its own view of the hierarchy has not.
        if folder.exists() { folder } else { mount.mount_point.clone() }
    };
    let own = |is: &dyn Fn(&[String]) -> bool| groups.iter().find(|group| is(&group.controllers));
    let cpu = |names: &[String]| names.iter().any(|name| name == "cpu");
    if let Some(group) = own(&cpu) {
        let first = mounts.iter().find(|m| m.fs_type == "cgroup" && m.super_options.contains_key("cpu"))?;
        return Some((inside(first, &group.pathname), 1));
    }
    let group = own(&|names| names.iter().all(String::is_empty))?;
    let second = mounts.iter().find(|m| m.fs_type == "cgroup2")?;
    Some((inside(second, &group.pathname), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_counts_are_read() {
        let first = Throttled::read("nr_periods 20\nnr_throttled 19\nthrottled_time 950000000\nnr_bursts 0\n");
        let second = Throttled::read("usage_usec 5\nnr_periods 20\nnr_throttled 19\nthrottled_usec 950000\n");
        assert_eq!(first, second);
        assert_eq!(first, Throttled { periods: Some(20.0), throttled: Some(19.0), time: Some(9.5e8) });
        assert_eq!(Throttled::read(""), Throttled::default());
    }

    // Where the hierarchy can't be written to, it says where it tried.
    #[test]
    fn a_group_has_its_limit_and_goes_with_its_owner_or_there_is_a_reason() {
        match Quota::new(1) {
            Err(why) => assert!(why.starts_with("no quota can be set"), "{why}"),
            Ok(quota) => {
                let limits = ["cpu.cfs_quota_us", "cpu.max"].map(|file| fs::read_to_string(quota.group.join(file)));
                assert!(limits.into_iter().flatten().any(|limit| limit.starts_with("100000")));
                assert!(Throttled::now(&quota.group).periods.is_some());
                let group = quota.group.clone();
                drop(quota);
                assert!(!group.exists());
            }
        }
    }
}
