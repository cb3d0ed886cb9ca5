//! What `trapline` does, a file a command.

mod catalogue;
mod cite;
mod compare;
mod export;
mod fault;
mod keep;
mod report;
mod run;
mod source;
mod verify;

pub(crate) use catalogue::{list, show};
pub(crate) use cite::{Cite, cite};
pub(crate) use compare::{Compare, compare};
pub(crate) use export::{Export, export};
pub(crate) use fault::print;
pub(crate) use keep::{Keep, keep};
pub(crate) use report::{Report, report};
pub(crate) use run::{Run, played, run};
pub(crate) use verify::{Verify, verify};
