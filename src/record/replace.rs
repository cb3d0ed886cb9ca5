//! Files that are replaced in one step: whoever reads one has the old text or the new, and never half of one.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file beside this one, syncs it and renames it, so that an interruption or a full disk leaves what was there. The new
/// file may be read and written by whom the old one could; a link stays one, to the new file.
///
/// # Errors
/// If it can't be written; then what was there is as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let mut file = beside(&path)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(&path) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// A new file in the folder of this one that others may read, as far as the user lets them. It goes when it is dropped.
pub(super) fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.prefix(".trapline-").tempfile_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_replaced_keeps_its_permissions_and_its_links() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "old")?;
        fs::set_permissions(&file, Permissions::from_mode(0o640))?;
        symlink("file", &link)?;
        replace(&link, "new")?;
        assert_eq!((fs::read_to_string(&file)?.as_str(), fs::read_link(&link)?.to_str()), ("new", Some("file")));
        assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path())?.count(), 2);
        Ok(())
    }

    #[test]
    fn what_cannot_be_replaced_is_as_it_was_and_nothing_is_left_beside_it() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let inner = folder.path().join("inner");
        fs::create_dir(&inner)?;
        assert!(replace(&inner, "a folder is no file").is_err());
        assert!(inner.is_dir() && fs::read_dir(folder.path())?.count() == 1);
        Ok(())
    }
}
