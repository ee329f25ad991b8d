//! Lays a document out: spaces, line ends, blank lines, indentation.

use std::fmt;

use toml_edit::{Array, Decor, DocumentMut, InlineTable, Item, RawString, Table, TomlError, Value};

use super::comments::{Above, above, behind, between};

const INDENT: &str = "    ";

/// Why a text is left as it is.
#[derive(Debug)]
pub(crate) enum NotFormatted {
    /// It is not TOML.
    Syntax(Box<TomlError>),
    /// The new layout would be read as something else, which is a fault of this program.
    WouldChange,
}

impl fmt::Display for NotFormatted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "{}", error.to_string().trim_end()),
            Self::WouldChange => f.write_str("its meaning would not survive"),
        }
    }
}

/// The text in its canonical form.
pub(crate) fn formatted(text: &str) -> Result<String, NotFormatted> {
    let syntax = |error| NotFormatted::Syntax(Box::new(error));
    let mut document: DocumentMut = text.parse().map_err(syntax)?;
    table(document.as_table_mut());
    let trailing = above(text_of(Some(document.trailing())), Above::Next);
    document.set_trailing(trailing);

    let formatted = document.to_string();
    let formatted = match formatted.trim_matches('\n') {
        "" => String::new(),
        body => format!("{body}\n"),
    };
    if meaning(text) == meaning(&formatted) {
        Ok(formatted)
    } else {
        Err(NotFormatted::WouldChange)
    }
}

/// What a text is read as. Compared as text, since a number that is none equals nothing.
fn meaning(text: &str) -> Option<String> {
    let table: toml::Table = text.parse().ok()?;
    Some(format!("{table:?}"))
}

fn text_of(raw: Option<&RawString>) -> &str {
    // A parsed document that may be edited holds texts, never places of another text.
    raw.and_then(RawString::as_str).unwrap_or_default()
}

fn prefix(decor: &Decor) -> &str {
    text_of(decor.prefix())
}

fn suffix(decor: &Decor) -> &str {
    text_of(decor.suffix())
}

/// A table with what is below it. Its nesting is bounded by the parser.
fn table(this: &mut Table) {
    let mut place = Above::First;
    entries(this, &mut place);
    for (mut key, item) in this.iter_mut() {
        match item {
            Item::Table(below) if !below.is_dotted() => {
                header(below);
                table(below);
            }
            Item::ArrayOfTables(tables) => {
                for below in tables.iter_mut() {
                    header(below);
                    table(below);
                }
            }
            _ => continue,
        }
        key.leaf_decor_mut().clear();
        key.dotted_decor_mut().clear();
    }
}

/// The settings of a table, dotted ones included, which count as the table's own.
fn entries(this: &mut Table, place: &mut Above) {
    for (mut key, item) in this.iter_mut() {
        match item {
            Item::Value(setting) => {
                let comments = above(prefix(key.leaf_decor()), *place);
                key.leaf_decor_mut().set_prefix(comments);
                key.leaf_decor_mut().set_suffix(" ");
                key.dotted_decor_mut().clear();
                let comment = behind(suffix(setting.decor()));
                value(setting, "");
                *setting.decor_mut() = Decor::new(" ", comment);
                *place = Above::Next;
            }
            Item::Table(dotted) if dotted.is_dotted() => {
                key.dotted_decor_mut().clear();
                entries(dotted, place);
            }
            _ => {}
        }
    }
}

fn header(this: &mut Table) {
    let comments = above(prefix(this.decor()), Above::Table);
    let comment = behind(suffix(this.decor()));
    *this.decor_mut() = Decor::new(comments, comment);
}

/// The inside of a value. `indent` is that of the line it begins on.
fn value(this: &mut Value, indent: &str) {
    match this {
        Value::Array(items) if is_spread(items) => spread(items, indent),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                value(item, indent);
                *item.decor_mut() = Decor::new(if index == 0 { "" } else { " " }, "");
            }
            items.set_trailing("");
            items.set_trailing_comma(false);
        }
        Value::InlineTable(items) if !has_comments(items) => inline(items, indent),
        _ => {}
    }
}

/// Whether an array has a line end in it, outside of its elements.
fn is_spread(items: &Array) -> bool {
    let breaks = |raw: &str| raw.contains('\n');
    breaks(text_of(Some(items.trailing())))
        || items
            .iter()
            .any(|item| breaks(prefix(item.decor())) || breaks(suffix(item.decor())))
}

/// A line for each element, and a comma behind the last.
fn spread(items: &mut Array, indent: &str) {
    let inner = format!("{indent}{INDENT}");
    // What follows an element before its comma belongs to what follows behind the comma.
    let mut waiting = String::new();
    for item in items.iter_mut() {
        let raw = std::mem::take(&mut waiting) + prefix(item.decor());
        waiting = suffix(item.decor()).to_owned();
        value(item, &inner);
        *item.decor_mut() = Decor::new(between(&raw, &inner), "");
    }
    let raw = waiting + text_of(Some(items.trailing()));
    let mut end = between(&raw, &inner);
    end.truncate(end.len() - inner.len());
    items.set_trailing(format!("{end}{indent}"));
    items.set_trailing_comma(!items.is_empty());
}

/// Whether there is a comment in an inline table, which then is left as it is.
fn has_comments(items: &InlineTable) -> bool {
    let is_comment = |raw: &str| raw.contains('#');
    is_comment(text_of(Some(items.trailing())))
        || items.iter().any(|(name, item)| {
            let key = items.key(name);
            let decors = key.map(|key| [key.leaf_decor(), key.dotted_decor()]);
            let has_inside = match item {
                Value::InlineTable(inner) => has_comments(inner),
                Value::Array(inner) => array_has_comments(inner),
                _ => false,
            };
            let decors = decors.into_iter().flatten().chain([item.decor()]);
            has_inside
                || decors
                    .into_iter()
                    .any(|decor| is_comment(prefix(decor)) || is_comment(suffix(decor)))
        })
}

fn array_has_comments(items: &Array) -> bool {
    let is_comment = |raw: &str| raw.contains('#');
    is_comment(text_of(Some(items.trailing())))
        || items.iter().any(|item| {
            let has_inside = match item {
                Value::InlineTable(inner) => has_comments(inner),
                Value::Array(inner) => array_has_comments(inner),
                _ => false,
            };
            has_inside || is_comment(prefix(item.decor())) || is_comment(suffix(item.decor()))
        })
}

/// `{ a = 1, b = 2 }` on one line, as TOML 1.0 wants it.
fn inline(items: &mut InlineTable, indent: &str) {
    let mut leaves = 0;
    inline_entries(items, indent, &mut leaves);
    items.set_trailing(if leaves == 0 { "" } else { " " });
    items.set_trailing_comma(false);
}

fn inline_entries(items: &mut InlineTable, indent: &str, leaves: &mut usize) {
    for (mut key, item) in items.iter_mut() {
        key.dotted_decor_mut().clear();
        match item {
            Value::InlineTable(dotted) if dotted.is_dotted() => {
                inline_entries(dotted, indent, leaves);
            }
            item => {
                *leaves += 1;
                *key.leaf_decor_mut() = Decor::new(" ", " ");
                value(item, indent);
                *item.decor_mut() = Decor::new(" ", "");
            }
        }
    }
}
