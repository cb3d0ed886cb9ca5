//! The report as one page of HTML: no network, no other file, light and dark, for a wide screen and a phone.

mod axis;
mod blocks;
mod code;
mod curves;
mod forest;
mod page;
mod panel;
mod summary;
mod tail;
mod trade;
mod trap;

pub use page::html;
