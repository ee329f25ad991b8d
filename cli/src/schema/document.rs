//! The schema as a whole: a definition for each table of the format.

use serde_json::{Map, Value, json};
use treewright::supervisors::keys::{self, KEYS, Key, Section};

use super::shape;

/// Kinds of children, whose tables can also stand in `[defaults]`.
const KINDS: [Section; 4] = [
    Section::Supervisor,
    Section::Process,
    Section::Actor,
    Section::Pool,
];

/// The schema, pretty-printed, with a line end.
pub(crate) fn text() -> String {
    format!("{:#}\n", document())
}

/// Draft 7 is what every TOML editor reads.
fn document() -> Value {
    let mut definitions = Map::new();
    for section in Section::ALL
        .iter()
        .filter(|section| **section != Section::File)
    {
        definitions.insert(shape::definition(*section), table(*section, rows(*section)));
    }
    for kind in KINDS {
        let shared = rows(kind).filter(|key| key.shared);
        definitions.insert(shape::defaults_definition(kind), table(kind, shared));
    }
    let mut document = table(Section::File, rows(Section::File));
    document["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    document["title"] = json!("treewright tree");
    document["description"] = json!("A tree of processes and how it is supervised.");
    document["definitions"] = Value::Object(definitions);
    document
}

fn rows(section: Section) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.on.contains(&section))
}

/// The schema of one table. Nothing is required beyond what even an overlay must say, since a
/// file may be merged over another.
fn table(section: Section, rows: impl Iterator<Item = &'static Key>) -> Value {
    let properties: Map<String, Value> = rows
        .map(|key| (key.name.to_owned(), property(section, key)))
        .collect();
    let mut table = json!({
        "type": "object",
        "properties": properties,
        "patternProperties": { "^x-": {} },
        "additionalProperties": false,
    });
    if let Some(one_of) = alternatives(section) {
        table["oneOf"] = one_of;
    }
    if matches!(section, Section::Secret) {
        table["required"] = json!(["file"]);
    }
    table
}

fn property(section: Section, key: &Key) -> Value {
    let mut property = if section == Section::Defaults {
        shape::defaults_reference(key.name)
    } else {
        shape::schema(&key.shape)
    };
    let mut description = sentence(key.doc);
    let default = default_of(key);
    if default.is_none() && !key.default.is_empty() {
        description.push_str(&format!("\n\nDefault: {}.", key.default));
    }
    property["description"] = json!(description);
    if let Some(default) = default {
        property["default"] = default;
    }
    property
}

/// The default as a value, where the table of keys has one and not words.
fn default_of(key: &Key) -> Option<Value> {
    let text = format!("default = {}", key.default);
    let mut table: toml::Table = text.parse().ok()?;
    serde_json::to_value(table.remove("default")?).ok()
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    let capital: String = first.into_iter().flatten().chain(letters).collect();
    format!("{capital}.")
}

/// Keys of which at most one may be given.
fn alternatives(section: Section) -> Option<Value> {
    let names: Vec<&str> = match section {
        Section::Ready | Section::Live => rows(section)
            .filter(|key| key.doc.starts_with("probe:") || key.name == "watchdog")
            .map(|key| key.name)
            .collect(),
        Section::Pool => keys::names(section)
            .filter(|name| matches!(*name, "run" | "task"))
            .collect(),
        _ => return None,
    };
    let mut one_of: Vec<Value> = names
        .iter()
        .map(|name| json!({ "required": [name] }))
        .collect();
    let any = one_of.clone();
    one_of.push(json!({ "not": { "anyOf": any } }));
    Some(Value::Array(one_of))
}
