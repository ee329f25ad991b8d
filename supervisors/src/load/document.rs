//! A parsed file as a tree of values that know where they are written.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Some bytes of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Span {
    /// Which of the loaded files.
    pub(super) file: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    pub(super) fn new(file: u32, bytes: &std::ops::Range<usize>) -> Self {
        // A file is refused long before it has 4 GiB.
        let clamp = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            file,
            start: clamp(bytes.start),
            end: clamp(bytes.end),
        }
    }

    /// The first byte of a file.
    pub(super) fn top(file: u32) -> Self {
        Self {
            file,
            start: 0,
            end: 0,
        }
    }

    pub(super) fn bytes(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and where it is written. A table under a heading is where its heading is.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    /// None when it does not fit into 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Table),
}

/// A key of a table with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where the key is written.
    pub(super) key: Span,
    pub(super) node: Node,
}

pub(super) type Table = BTreeMap<String, Entry>;

impl Node {
    pub(super) fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The items of an array; none of what is no array.
    pub(super) fn as_items(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// The name of its TOML type with an article.
    pub(super) fn type_name(&self) -> &'static str {
        match self.value {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Datetime => "a date or time",
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

/// The table of a file. The recursion is bounded by the parser's own limit on nesting.
pub(super) fn table(file: u32, parsed: DeTable<'_>) -> Table {
    parsed
        .into_iter()
        .map(|(key, value)| {
            let entry = Entry {
                key: Span::new(file, &key.span()),
                node: node(file, value),
            };
            (key.into_inner().into_owned(), entry)
        })
        .collect()
}

fn node(file: u32, parsed: Spanned<DeValue<'_>>) -> Node {
    let span = Span::new(file, &parsed.span());
    let value = match parsed.into_inner() {
        DeValue::String(text) => Value::String(text.into_owned()),
        DeValue::Integer(digits) => {
            Value::Integer(i64::from_str_radix(digits.as_str(), digits.radix()).ok())
        }
        DeValue::Float(digits) => Value::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(value),
        DeValue::Datetime(_) => Value::Datetime,
        DeValue::Array(items) => {
            Value::Array(items.into_iter().map(|item| node(file, item)).collect())
        }
        DeValue::Table(entries) => Value::Table(table(file, entries)),
    };
    Node { span, value }
}
