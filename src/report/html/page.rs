//! The whole page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{blocks, summary, trap};
use crate::record::Archive;
#[cfg(test)]
use crate::record::TrapNote;
use crate::report::model::Section;
use crate::report::view::{TrapView, View};
use crate::report::{front, guide, ledger, resolution, visibility};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing is fetched, whatever a record says.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'";

/// The report on these records as one file of HTML. `source` gives the Rust source of a trap by its name, where there is one.
#[must_use]
pub fn html(archive: &Archive, source: impl Fn(&str) -> Option<&'static str>) -> String {
    let view = View::of(archive);
    let traps = view.traps();
    let today = resolution::today(&view, &traps);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { "Trapline: traps, fixes and floors, measured" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "To the findings" }
                header #top {
                    h1 { "Traps, fixes and floors, measured" }
                    @if let Some(today) = &today { p.today { "How small an effect is told here: none below what the trap against itself scatters (A/A); and what came of slowdowns of 5 % that were planted. " (blocks::prose(today)) } }
                    button #theme type="button" aria-pressed="false" { "Dark" }
                }
                (navigation(&traps))
                main #main {
                    (body(&view, &traps, source))
                }
                footer { p { "trapline " (env!("CARGO_PKG_VERSION")) ". A number of this page is cited with its interval, machine, commit and caveats: trapline cite TRAP." } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn navigation(traps: &[TrapView<'_>]) -> Markup {
    html! {
        nav aria-label="Traps" { ul {
            @for trap in traps { li { a href={ "#" (trap.name) } { (trap.name) } } }
            li { a href="#claims" { "claims" } }
            li { a href="#visibility" { "who sees what" } }
            li { a href="#guide" { "how to read it" } }
            li { a href="#resolution" { "what can be resolved" } }
            li { a href="#ground" { "what it rests on" } }
        } }
    }
}

fn body(view: &View<'_>, traps: &[TrapView<'_>], source: impl Fn(&str) -> Option<&'static str>) -> Markup {
    let named = [
        ("claims", "The claims", ledger::section(view, traps)),
        ("visibility", "Who sees what", visibility::section(view, traps)),
        ("guide", "How to read it", Some(guide::section())),
        ("resolution", "What this machine can resolve", resolution::section(view, traps)),
        ("ground", "What it rests on", Some(front::section(view, traps))),
    ];
    html! {
        section #all aria-label="All traps" {
            @if traps.is_empty() { p { "Nothing measured yet: run " code { "cargo bench" } "." } } @else { (summary::table(traps)) }
        }
        @for trap in traps { (trap::section(trap, source(trap.name))) }
        @for (id, heading, section) in named { @if let Some(section) = section { (plain(id, heading, &section)) } }
    }
}

fn plain(id: &str, heading: &str, section: &Section) -> Markup {
    let heading = if section.heading.is_empty() { heading } else { &section.heading };
    html! { section id=(id) aria-labelledby={ "h-" (id) } { h2 id={ "h-" (id) } { (heading) } (blocks::all(&section.blocks, heading)) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{made_up_archives, made_up_tails};

    fn page(archive: &Archive) -> String {
        html(archive, |_| Some("/// A habit.\npub fn push_unsized() {\n    let n = 1;\n}\n"))
    }

    #[test]
    fn every_trap_has_a_row_and_a_section_and_nothing_is_fetched() {
        for (archive, traps) in [
            (made_up_archives::archive(), &["vec_growth", "contended_map"][..]),
            (made_up_archives::catalog(), &["deep_recursion"]),
            (made_up_tails::archive(), &[]),
            (Archive::default(), &[]),
        ] {
            let page = page(&archive);
            for trap in traps {
                assert!(
                    page.contains(&format!("<section id=\"{trap}\"")) && page.contains(&format!("href=\"#{trap}\""))
                );
            }
            assert!(
                !page.contains("http:") && !page.contains("https:") && !page.contains(" src="),
                "nothing is fetched"
            );
        }
    }

    #[test]
    fn the_code_of_trap_and_advice_stands_in_it() {
        let page = page(&made_up_archives::archive());
        assert!(page.contains("push_unsized</code>") && page.contains("<span class=\"keyword\">fn</span>"));
        assert!(page.contains("the records are of commit 28b8c19d3f"), "the code may be younger than they are");
    }

    #[test]
    fn a_section_begins_with_its_verdict() {
        let page = page(&made_up_archives::archive());
        let section = page.split("<section id=\"vec_growth\"").nth(1).unwrap_or_default();
        let first = section.split("</h2>").nth(1).unwrap_or_default();
        assert!(first.starts_with("<p class=\"finding\"><strong>Apply <code>push_presized</code> at n"), "{first}");
    }

    #[test]
    fn no_record_reaches_the_page_as_markup_or_breaks_it() {
        let evil = "</script><script>alert(1)</script><img src=x onerror=\"alert(2)\">'../../etc";
        let mut archive = made_up_archives::archive();
        for note in archive.runs.iter_mut().flat_map(|run| &mut run.traps) {
            let TrapNote { title, section, habit, counts, op, .. } = note;
            [title, section, habit, counts, op].into_iter().for_each(|text| *text = evil.into());
        }
        for (at, record) in archive.records.iter_mut().enumerate() {
            record.case = if at % 3 == 0 { evil.into() } else { record.case.clone() };
            record.variant = if at % 5 == 0 { evil.into() } else { record.variant.clone() };
            record.trap = if at % 7 == 0 { evil.into() } else { record.trap.clone() };
            let huge = [f64::NAN, f64::INFINITY, 1e308, -1e308][at % 4];
            record.value = if at % 11 == 0 { Some(huge) } else { record.value };
            record.samples.iter_mut().for_each(|sample| *sample = if at % 11 == 0 { huge } else { *sample });
        }
        let page = page(&archive);
        assert_eq!(page.matches("<script").count(), 1, "its own");
        assert!(!page.contains("<img") && !page.contains("onerror=\"") && page.ends_with("</html>"));
    }
}
