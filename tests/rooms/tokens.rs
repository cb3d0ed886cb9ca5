//! Rust sources as tokens, and the paths in them.

/// Names, `::` and single characters, without comments and literals.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let length = blank(rest).unwrap_or_else(|| {
            let length = match first {
                ':' if rest.starts_with("::") => 2,
                c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            found.push(rest[..length].to_owned());
            length
        });
        rest = &rest[length..];
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of what is no token at the start of the text: space, a comment, a literal or a lifetime.
fn blank(text: &str) -> Option<usize> {
    let until = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    let raw = text.strip_prefix('b').unwrap_or(text);
    let hashes = raw.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
    match text.chars().next()? {
        c if c.is_whitespace() => Some(c.len_utf8()),
        '/' if text.starts_with("//") => Some(until("\n", 0)),
        '/' if text.starts_with("/*") => Some(until("*/", 2)),
        '"' => Some(quoted(text, 1)),
        'b' if text.starts_with("b\"") => Some(quoted(text, 2)),
        'b' | 'r' => {
            let hashes = hashes?;
            let open = text.len() - raw.len() + 1 + hashes;
            text[open..].starts_with('"').then(|| until(&format!("\"{}", "#".repeat(hashes)), open + 1))
        }
        '\'' => Some(apostrophe(text)),
        _ => None,
    }
}

fn quoted(text: &str, from: usize) -> usize {
    let mut escaped = false;
    for (at, c) in text[from..].char_indices() {
        match c {
            '"' if !escaped => return from + at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

// 'a' and '\n' are characters, 'a is a lifetime.
fn apostrophe(text: &str) -> usize {
    let mut chars = text[1..].char_indices();
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            let from = 1 + at + c.len_utf8();
            text[from..].find('\'').map_or(text.len(), |end| from + end + 1)
        }
        (Some(_), Some((at, '\''))) => 1 + at + 1,
        _ => 1,
    }
}

/// Without each item under `#[cfg(test)]`, whose modules in files of their own are named.
pub(crate) fn without_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let (mut kept, mut modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < tokens.len() {
        if tokens[at..].iter().take(MARK.len()).eq(MARK.iter()) {
            let end = at + MARK.len() + item(&tokens[at + MARK.len()..]);
            let names = tokens[at..end].windows(3).filter(|w| w[0] == "mod" && w[2] == ";");
            modules.extend(names.map(|w| w[1].clone()));
            at = end;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, modules)
}

/// How many tokens one item has: to its `;` or its last `}`.
pub(crate) fn item(tokens: &[String]) -> usize {
    let (mut depth, mut is_use) = (0_usize, false);
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "use" if depth == 0 => is_use = true,
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 && token == "}" && !is_use {
                    return at + 1;
                }
            }
            ";" if depth == 0 => return at + 1,
            _ => (),
        }
    }
    tokens.len()
}

/// The paths of the tree that begins here, each with the name it is known by, and where the tree ends.
pub(crate) fn tree(tokens: &[String], mut at: usize, before: &[String]) -> (Vec<(Vec<String>, String)>, usize) {
    let mut path = before.to_vec();
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => return group(tokens, at + 1, &path),
            Some(name) if name == "*" || name.chars().all(is_name) => path.push(name.to_owned()),
            _ => return (vec![(path.clone(), path.last().cloned().unwrap_or_default())], at),
        }
        at += 1;
        match tokens.get(at).map(String::as_str) {
            Some("::") => at += 1,
            Some("as") => return (vec![(path, tokens.get(at + 1).cloned().unwrap_or_default())], at + 2),
            _ => {
                if path.last().is_some_and(|name| name == "self") && path.len() > 1 {
                    path.pop();
                }
                return (vec![(path.clone(), path.last().cloned().unwrap_or_default())], at);
            }
        }
    }
}

fn group(tokens: &[String], mut at: usize, before: &[String]) -> (Vec<(Vec<String>, String)>, usize) {
    let mut all = Vec::new();
    while tokens.get(at).is_some_and(|token| token != "}") {
        if tokens[at] == "," {
            at += 1;
            continue;
        }
        let (paths, end) = tree(tokens, at, before);
        all.extend(paths);
        at = end.max(at + 1);
    }
    (all, at + 1)
}
