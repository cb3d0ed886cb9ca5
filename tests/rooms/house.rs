//! The files of a crate, and what each imports.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{item, tokens, tree, without_tests};

/// The names from the root to a module or an item.
type Module = Vec<String>;

/// What each file imports.
pub(crate) type Graph = BTreeMap<String, BTreeSet<String>>;

struct Source {
    /// `lab::session` for lab/session/mod.rs; empty for the root.
    module: Module,
    tokens: Vec<String>,
}

/// The sources of a crate.
pub(crate) struct House {
    sources: BTreeMap<String, Source>,
}

fn module_of(file: &str) -> Module {
    let stem = file.trim_end_matches(".rs").trim_end_matches("/mod");
    if ["lib", "main"].contains(&stem) { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

impl House {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut sources, mut tests) = (BTreeMap::new(), BTreeSet::new());
        for (file, text) in files {
            let (module, (tokens, modules)) = (module_of(file), without_tests(&tokens(text)));
            tests.extend(modules.into_iter().map(|name| [module.clone(), vec![name]].concat()));
            sources.insert(file.to_owned(), Source { module, tokens });
        }
        sources.retain(|_, source: &mut Source| !tests.contains(&source.module));
        Self { sources }
    }

    fn file_of(&self, module: &[String]) -> Option<&str> {
        let library = |(file, source): &(&String, &Source)| *file != "main.rs" && source.module == module;
        self.sources.iter().find(library).map(|(file, _)| file.as_str())
    }

    fn is_door(&self, file: &str) -> bool {
        if !file.ends_with("mod.rs") && file != "lib.rs" {
            return false;
        }
        let mut rest = self.sources[file].tokens.as_slice();
        while !rest.is_empty() {
            let words: Vec<_> = rest[..item(rest)].iter().map(String::as_str).collect();
            let words = without_attributes(&words);
            let is_mod = words.contains(&"mod") && words.last() == Some(&";");
            if !words.is_empty() && !is_mod && words[..2.min(words.len())] != ["pub", "use"] {
                return false;
            }
            rest = &rest[item(rest)..];
        }
        true
    }

    /// The file in which the path ends: what a door exports is looked for behind it. None for what is not of this crate,
    /// and for a door itself.
    fn resolve(&self, path: &[String]) -> Option<String> {
        let (module, rest) = self.split(path);
        let file = self.file_of(module)?;
        if !self.is_door(file) {
            return Some(file.to_owned());
        }
        let name = rest.first()?;
        let exports = self.paths(file).into_iter().filter(|(path, _)| path != module);
        let exported = exports.filter(|(_, known)| known == name || known == "*");
        exported.into_iter().find_map(|(path, _)| self.resolve(&path))
    }

    /// The longest beginning that is a module, and what is left.
    fn split<'a>(&self, path: &'a [String]) -> (&'a [String], &'a [String]) {
        let end = (0..=path.len()).rev().find(|end| self.file_of(&path[..*end]).is_some()).unwrap_or_default();
        path.split_at(end)
    }

    /// All paths of a file, from the root, each with the name that it is known by.
    fn paths(&self, file: &str) -> Vec<(Module, String)> {
        let Source { module, tokens } = &self.sources[file];
        let (mut found, mut at, mut depth) = (Vec::new(), 0, 0);
        // The modules within the file that are open here, and how deep.
        let mut inner: Vec<(String, usize)> = Vec::new();
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" => depth += 1,
                "}" => {
                    depth -= 1;
                    inner.retain(|(_, from)| *from <= depth);
                }
                "mod" if tokens.get(at + 2).is_some_and(|t| t == "{") => {
                    inner.push((tokens[at + 1].clone(), depth + 1));
                }
                _ => {
                    if let Some(start) = self.start(tokens, at, module, &inner, &found) {
                        let (paths, end) = tree(tokens, at, &[]);
                        found.extend(paths.into_iter().map(|(path, name)| (from_root(&start, &path), name)));
                        at = end.max(at + 1);
                        continue;
                    }
                }
            }
            at += 1;
        }
        found
    }

    /// Where the path that begins at this token begins, if one does.
    fn start(
        &self,
        tokens: &[String],
        at: usize,
        module: &[String],
        inner: &[(String, usize)],
        known: &[(Module, String)],
    ) -> Option<Module> {
        let before = |back: usize| at.checked_sub(back).map(|at| tokens[at].as_str());
        let is_visibility = before(1) == Some("in") || before(1) == Some("(") && before(2) == Some("pub");
        if tokens.get(at + 1).is_none_or(|t| t != "::") || before(1) == Some("::") || is_visibility {
            return None;
        }
        let here = [module, &inner.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()].concat();
        let name = &tokens[at];
        let child = [module, std::slice::from_ref(name)].concat();
        let imported = known.iter().rev().find(|(path, known)| known == name && self.file_of(path).is_some());
        match (name.as_str(), imported) {
            // The binary knows the library by its name.
            ("crate" | "trapline" | "super" | "self", _) => Some(here),
            (_, Some((path, _))) => Some(path[..path.len() - 1].to_vec()),
            _ => self.file_of(&child).is_some().then(|| module.to_vec()),
        }
    }

    fn imports(&self, file: &str) -> BTreeSet<String> {
        let files = self.paths(file).into_iter().filter_map(|(path, _)| self.resolve(&path));
        files.filter(|other| other != file).collect()
    }

    /// What each file imports; a door is no file of its own.
    pub(crate) fn graph(&self) -> Graph {
        let files = self.sources.keys().filter(|file| !self.is_door(file));
        files.map(|file| (file.clone(), self.imports(file))).collect()
    }
}

fn without_attributes<'a>(words: &'a [&'a str]) -> &'a [&'a str] {
    let mut rest = words;
    while rest.first() == Some(&"#") {
        let end = rest.iter().position(|word| *word == "]").map_or(rest.len(), |at| at + 1);
        rest = &rest[end..];
    }
    rest
}

// `here` is where `self` is; a path that begins with a name begins there as well.
fn from_root(here: &[String], path: &[String]) -> Module {
    let mut at = here.to_vec();
    for (place, name) in path.iter().enumerate() {
        match name.as_str() {
            "crate" | "trapline" => at.clear(),
            "super" => drop(at.pop()),
            "self" if place == 0 => (),
            _ => at.push(name.clone()),
        }
    }
    at
}
