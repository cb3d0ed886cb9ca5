//! A function out of the source of its trap, with its words coloured.

use maud::{Markup, html};

use super::blocks::scroll;
use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

const KEYWORDS: [&str; 24] = [
    "as", "break", "const", "continue", "dyn", "else", "enum", "fn", "for", "if", "impl", "in", "let", "loop", "match",
    "move", "mut", "pub", "ref", "return", "struct", "use", "where", "while",
];

/// The public function of that name with its documentation, as it stands in the source.
pub(super) fn function<'s>(source: &'s str, name: &str) -> Option<&'s str> {
    let heads = [format!("pub fn {name}("), format!("pub fn {name}<")];
    let mut start = 0;
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        if heads.iter().any(|head| line.starts_with(head.as_str())) {
            let end = source[at..].find("\n}\n").map(|end| at + end + 2).or_else(|| one_line(source, at))?;
            return Some(&source[start..end]);
        }
        at += line.len();
        // Documentation and attributes right above belong to it.
        if !(line.starts_with("///") || line.starts_with("#[")) {
            start = at;
        }
    }
    None
}

fn one_line(source: &str, at: usize) -> Option<usize> {
    source[at..].find('\n').map(|end| at + end)
}

/// The code with a class a kind of word, and its name for whoever can't see it.
pub(super) fn coloured(code: &str, name: &str) -> Markup {
    let mut at = 0;
    let words: Vec<(&str, &str)> = tokenize(code, FrontmatterAllowed::No)
        .map(|token| {
            let word = &code[at..at + token.len as usize];
            at += token.len as usize;
            (class(token.kind, word), word)
        })
        .collect();
    scroll(
        name,
        &html! {
            pre { code { @for (class, word) in words { @if class.is_empty() { (word) } @else { span class=(class) { (word) } } } } }
        },
    )
}

fn class(kind: TokenKind, word: &str) -> &'static str {
    match kind {
        TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => "comment",
        TokenKind::Literal { kind: LiteralKind::Int { .. } | LiteralKind::Float { .. }, .. } => "literal",
        TokenKind::Literal { .. } => "text",
        TokenKind::Ident if KEYWORDS.contains(&word) => "keyword",
        TokenKind::Ident if word.starts_with(char::is_uppercase) => "type",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "use x;\n\n/// Adds `a<b`.\n#[must_use]\npub fn add(a: u8) -> u8 {\n    if a > 1 {\n        a\n    }\n}\n\npub fn other<T>() {\n}\n";

    #[test]
    fn a_function_comes_with_its_documentation_and_no_more() {
        let add = function(SOURCE, "add").expect("it is there");
        assert!(add.starts_with("/// Adds") && add.ends_with("    }\n}") && !add.contains("other"), "{add}");
        assert_eq!(function(SOURCE, "other"), Some("pub fn other<T>() {\n}"));
        assert_eq!(function(SOURCE, "ad"), None);
    }

    #[test]
    fn words_are_coloured_and_escaped() {
        let page = coloured("/// a<b\npub fn f() -> Vec<u8> { \"x\" }", "f").into_string();
        for part in [
            "<span class=\"comment\">/// a&lt;b</span>",
            "<span class=\"keyword\">fn</span>",
            "<span class=\"type\">Vec</span>&lt;",
            "<span class=\"text\">&quot;x&quot;</span>",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
    }
}
