//! The code of an arm, out of the source of its trap.

/// What marks the item under it as the code of the arms that it names. Most arms have a function of their name and need none.
const MARK: &str = "// Code of ";

/// The code of an arm in the source of its trap: the items marked with its name, one after the other, or else the function of that name.
#[must_use]
pub fn code(source: &str, arm: &str) -> Option<String> {
    let lines: Vec<&str> = source.lines().collect();
    let marked = (0..lines.len()).filter(|&at| marks(lines[at], arm)).map(|at| item(&lines[at + 1..]));
    let marked: Vec<String> = marked.collect();
    if marked.is_empty() { function(&lines, arm) } else { Some(marked.join("\n\n")) }
}

fn marks(line: &str, name: &str) -> bool {
    let is_between = |c: char| c != '_' && !c.is_alphanumeric();
    line.trim_start().strip_prefix(MARK).is_some_and(|names| names.split(is_between).any(|word| word == name))
}

fn function(lines: &[&str], name: &str) -> Option<String> {
    let heads = [format!("fn {name}("), format!("fn {name}<")];
    let is_head = |line: &&str| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        heads.iter().any(|head| line.starts_with(head.as_str()))
    };
    let at = lines.iter().position(is_head)?;
    let above = lines[..at].iter().rev().take_while(|line| is_above(line)).count();
    Some(item(&lines[at - above..]))
}

// Documentation and attributes right above an item belong to it.
fn is_above(line: &str) -> bool {
    ["///", "#["].iter().any(|start| line.trim_start().starts_with(start))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The item that begins with the first of these lines, at the left edge. As rustfmt has it, it ends at its own indent.
fn item(lines: &[&str]) -> String {
    let left = lines.first().map_or(0, |line| indent(line));
    let ends = |line: &str| !is_above(line) && indent(line) == left && line.ends_with([';', ',', '}']);
    let end = lines.iter().position(|line| ends(line)).map_or(lines.len(), |end| end + 1);
    let shown = lines[..end].iter().filter(|line| !line.trim_start().starts_with(MARK));
    shown.map(|line| line.get(left..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "catalog")]
    use crate::trap::Role;

    const SOURCE: &str = "\
use x;

/// Adds `a<b`,
#[must_use]
pub fn add(a: u8) -> u8 {
    if a > 1 {
        a
    }
}

pub fn other<T>() {
}
fn own() {}

// Code of held and both.
/// Held;
struct Held(u8);

// Code of both.
impl Held {
    // Code of held.
    /// Gives.
    fn give(
        &self,
    ) -> u8 {

        self.0
    }
}

fn held() {}
";

    #[test]
    fn a_function_comes_with_its_documentation_and_no_more() {
        let add = "/// Adds `a<b`,\n#[must_use]\npub fn add(a: u8) -> u8 {\n    if a > 1 {\n        a\n    }\n}";
        assert_eq!(code(SOURCE, "add").as_deref(), Some(add));
        assert_eq!(code(SOURCE, "other").as_deref(), Some("pub fn other<T>() {\n}"));
        assert_eq!(code(SOURCE, "own").as_deref(), Some("fn own() {}"));
        assert_eq!(code(SOURCE, "ad"), None);
    }

    #[test]
    fn marked_items_come_before_a_function_one_after_the_other_at_the_left_edge_and_without_marks() {
        let (held, give) = ("/// Held;\nstruct Held(u8);", "fn give(\n    &self,\n) -> u8 {\n\n    self.0\n}");
        assert_eq!(code(SOURCE, "held"), Some(format!("{held}\n\n/// Gives.\n{give}")));
        let both = code(SOURCE, "both").expect("it is marked");
        assert!(both.starts_with(&format!("{held}\n\nimpl Held {{\n    /// Gives.\n    fn give(")), "{both}");
        assert!(both.ends_with("    }\n}"), "{both}");
    }

    #[cfg(feature = "catalog")]
    #[test]
    fn every_trap_shows_the_habit_and_the_first_fix_and_no_page_of_code() {
        for trap in crate::catalog::TRAPS {
            let source = crate::catalog::source(trap.name).expect("the catalog has the source of each");
            let fix = trap.variants.iter().find(|variant| variant.role == Role::Fix).expect("a trap states a fix");
            let [habit, fix] = [trap.baseline().name, fix.name].map(|name| {
                let code = code(source, name).unwrap_or_else(|| panic!("{name} of {} has no code", trap.name));
                assert!(code.lines().count() <= 40, "the code of {name} of {} is long:\n{code}", trap.name);
                code
            });
            assert_ne!(habit, fix, "{}", trap.name);
        }
    }
}
