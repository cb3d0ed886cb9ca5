//! stub
use std::path::Path;
/// e
#[derive(Debug, thiserror::Error)]
#[error("e")]
pub struct ReportError;
/// w
pub fn write(_: &Path, _: &str) -> Result<String, ReportError> {
    Ok(String::new())
}
