//! Where the running bench target is, and what it is called.

use std::path::{Path, PathBuf};

/// The name of the running bench target: that of its executable, without the hash that cargo puts behind it.
#[must_use]
pub fn target_name() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    name_of(&path.file_stem().unwrap_or_default().to_string_lossy()).to_owned()
}

fn name_of(stem: &str) -> &str {
    let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    stem.rsplit_once('-').filter(|(_, hash)| is_hash(hash)).map_or(stem, |(name, _)| name)
}

/// The target directory: as the environment says, else the nearest folder above the executable that cargo has marked as its
/// own, else `target`. A relative path in the environment is left to the mark: cargo takes it from where it was started,
/// and a bench target is started elsewhere.
#[must_use]
pub fn target_folder() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let executable = std::env::current_exe().unwrap_or_default();
    let marked = || executable.ancestors().find(|folder| is_marked(folder)).map(Path::to_path_buf);
    named.or_else(marked).unwrap_or_else(|| "target".into())
}

/// Where everything is written: the folder that `TRAPLINE_FOLDER` names, else `trapline` in the target directory.
#[must_use]
pub fn folder() -> PathBuf {
    std::env::var_os("TRAPLINE_FOLDER").map_or_else(|| target_folder().join("trapline"), PathBuf::from)
}

// The tag of a cache is there only where cargo has made the folder; what it knows of the compiler always is.
fn is_marked(folder: &Path) -> bool {
    ["CACHEDIR.TAG", ".rustc_info.json"].iter().any(|mark| folder.join(mark).exists())
}

#[cfg(test)]
mod tests {
    use super::{is_marked, name_of};

    #[test]
    fn a_target_folder_that_somebody_else_has_made_is_cargo_s_by_what_it_knows_of_the_compiler() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!is_marked(folder.path()));
        std::fs::write(folder.path().join(".rustc_info.json"), "{}").expect("a file");
        assert!(is_marked(folder.path()));
    }

    #[test]
    fn a_name_may_have_hyphens_and_may_have_no_hash() {
        assert_eq!(name_of("ratio-0123456789abcdef"), "ratio");
        assert_eq!(name_of("my-ratio-0123456789abcdef"), "my-ratio");
        assert_eq!(name_of("my-ratio"), "my-ratio");
    }
}
