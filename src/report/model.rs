//! What a report consists of, before anyone decides how it looks: the renderers know these shapes and nothing of records.

/// A whole report.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its sections, in reading order.
    pub sections: Vec<Section>,
}

/// A part of a report under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// The trap that it is about, if it is about one.
    pub trap: Option<String>,
    /// Its heading; empty for what comes right after the title.
    pub heading: String,
    /// What it says, in reading order.
    pub blocks: Vec<Block>,
}

/// One thing that a section says.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// The heading of what follows, one level down.
    Heading(String),
    /// Prose.
    Paragraph(String),
    /// What a reader must know before taking over a number.
    Note(String),
    /// Names and what is known of them.
    Facts(Vec<(String, String)>),
    /// Numbers.
    Table(Table),
    /// A file to go on reading.
    Link {
        /// What it is.
        text: String,
        /// Where it is, from the report's own folder.
        target: String,
    },
}

/// Rows of equally many cells. A cell is never empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns, from the left; the first one names the row.
    pub columns: Vec<Column>,
    /// A cell a column.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What it holds, with the unit.
    pub header: String,
    /// How its cells stand.
    pub align: Align,
}

/// How cells stand in their column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
    /// A drawing of characters, whose spaces count.
    Drawing,
}

impl Table {
    /// A table with these columns and no rows yet.
    #[must_use]
    pub fn of(columns: &[(&str, Align)]) -> Self {
        let column = |&(header, align): &(&str, Align)| Column { header: header.into(), align };
        Self { columns: columns.iter().map(column).collect(), rows: Vec::new() }
    }
}

pub(super) fn paragraph(text: impl Into<String>) -> Block {
    Block::Paragraph(text.into())
}

pub(super) fn note(text: impl Into<String>) -> Block {
    Block::Note(text.into())
}

pub(super) fn fact(name: &str, what: impl Into<String>) -> (String, String) {
    (name.into(), what.into())
}
