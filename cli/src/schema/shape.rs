//! The schema of one value.

use serde_json::{Value, json};
use treewright::spec::Signal;
use treewright::supervisors::keys::{Section, Shape, Word};

/// A string in which something is expanded when the tree is loaded.
const EXPANDED: &str = r"\$\{";

/// The name of the definition of this table.
pub(super) fn definition(section: Section) -> String {
    section.key().to_owned()
}

/// The name of the definition of what `[defaults]` may say of this kind.
pub(super) fn defaults_definition(section: Section) -> String {
    format!("defaults.{}", section.key())
}

/// A reference, wrapped: in draft 7 whatever stands beside a bare `$ref` is ignored.
fn reference(definition: &str) -> Value {
    json!({ "allOf": [{ "$ref": format!("#/definitions/{definition}") }] })
}

pub(super) fn defaults_reference(kind: &str) -> Value {
    reference(&format!("defaults.{kind}"))
}

/// The schema of a value of this shape.
pub(super) fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Path | Shape::Name => json!({ "type": "string", "minLength": 1 }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Exactly(value) => json!({ "const": value }),
        Shape::Integer { min, max } => integer(*min, *max),
        Shape::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Shape::Duration => pattern(r"^([0-9]+(\.[0-9]+)? *(d|h|m|s|ms|us|µs|ns) *)+$"),
        Shape::Size => pattern(r"^([0-9]+(\.[0-9]+)? *(TiB|TB|GiB|GB|MiB|MB|KiB|[kK]B|B) *)+$"),
        Shape::Octal => pattern("^[0-7]+$"),
        Shape::Address => pattern(":[0-9]+$"),
        Shape::Url => pattern("^http://."),
        Shape::Signal => pattern(&signals()),
        Shape::Command => json!({
            "anyOf": [
                { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                { "type": "string", "minLength": 1 },
            ],
        }),
        Shape::Words(words) => enumeration(words),
        Shape::List(of) => json!({ "type": "array", "items": schema(of) }),
        Shape::Map(of) => map(of),
        Shape::Table(section) => reference(&definition(*section)),
        Shape::Either(shapes) => {
            let shapes: Vec<Value> = shapes.iter().map(schema).collect();
            json!({ "anyOf": shapes })
        }
        Shape::Any => json!({}),
    }
}

fn integer(min: i64, max: i64) -> Value {
    let mut integer = json!({ "type": "integer", "minimum": min });
    if max != i64::MAX {
        integer["maximum"] = json!(max);
    }
    integer
}

/// A table with names the user chose: of children, of variables, or of arguments.
fn map(of: &Shape) -> Value {
    let mut map = json!({ "type": "object", "additionalProperties": schema(of) });
    let names = match of {
        Shape::Table(_) | Shape::Words(_) => "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$",
        Shape::Either(_) => "^[^=]+$",
        _ => return map,
    };
    map["propertyNames"] = json!({ "pattern": names });
    map
}

/// A string of this form, or one that is expanded to it.
fn pattern(form: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{form}|{EXPANDED}") })
}

fn enumeration(words: &[Word]) -> Value {
    let mut values = Vec::new();
    let mut docs = Vec::new();
    for word in words {
        for name in std::iter::once(&word.name).chain(word.aliases) {
            values.push(*name);
            docs.push(word.doc);
        }
    }
    json!({
        "anyOf": [
            {
                "type": "string",
                "enum": values,
                "x-taplo": { "docs": { "enumValues": docs } },
            },
            { "type": "string", "pattern": EXPANDED },
        ],
    })
}

/// Names of signals, with or without `SIG`, all capitals or all small.
fn signals() -> String {
    let names: Vec<&str> = Signal::ALL.iter().map(|(_, name)| *name).collect();
    let capitals = names.join("|");
    let small = capitals.to_lowercase();
    format!(r"^(SIG)?({capitals}|RTMIN(\+[0-9]+)?)$|^(sig)?({small}|rtmin(\+[0-9]+)?)$")
}
