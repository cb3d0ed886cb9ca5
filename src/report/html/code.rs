//! Code with its words coloured.

use maud::{Markup, html};

use super::blocks::scroll;
use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

const KEYWORDS: [&str; 24] = [
    "as", "break", "const", "continue", "dyn", "else", "enum", "fn", "for", "if", "impl", "in", "let", "loop", "match",
    "move", "mut", "pub", "ref", "return", "struct", "use", "where", "while",
];

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
