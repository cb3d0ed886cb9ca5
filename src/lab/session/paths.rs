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

/// The target directory: as the environment says, else the nearest folder above the executable that cargo has marked as a
/// cache, else `target`. A relative path in the environment is left to the mark: cargo takes it from where it was started,
/// and a bench target is started elsewhere.
#[must_use]
pub fn target_folder() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
    let executable = std::env::current_exe().unwrap_or_default();
    let marked = || executable.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists()).map(Path::to_path_buf);
    named.or_else(marked).unwrap_or_else(|| "target".into())
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_name_may_have_hyphens_and_may_have_no_hash() {
        assert_eq!(name_of("ratio-0123456789abcdef"), "ratio");
        assert_eq!(name_of("my-ratio-0123456789abcdef"), "my-ratio");
        assert_eq!(name_of("my-ratio"), "my-ratio");
    }
}
