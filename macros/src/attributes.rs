//! Which of a function's attributes go where.

use syn::{Attribute, Meta, parse_quote};

/// The attributes of a function, sorted by what is made of it.
#[derive(Default)]
pub(crate) struct Attributes {
    /// Those that decide whether it is there at all.
    pub(crate) conditions: Vec<Attribute>,
    /// Those for who calls it: docs, `must_use`, lints.
    pub(crate) outside: Vec<Attribute>,
    /// Those for its code: lints and whatever else there is.
    pub(crate) inside: Vec<Attribute>,
}

impl Attributes {
    pub(crate) fn sort(attributes: Vec<Attribute>) -> Self {
        let mut sorted = Self::default();
        for attribute in attributes {
            sorted.add(attribute);
        }
        sorted
    }

    fn add(&mut self, attribute: Attribute) {
        let name = attribute.path().get_ident().map(ToString::to_string);
        match name.as_deref().unwrap_or_default() {
            "cfg" => self.conditions.push(attribute),
            "doc" | "must_use" | "deprecated" => self.outside.push(attribute),
            "allow" | "warn" | "deny" | "forbid" => {
                self.outside.push(attribute.clone());
                self.inside.push(attribute);
            }
            // What is expected happens in the code. Whether it also happens outside depends
            // on the lint, so there it is allowed.
            "expect" => {
                if let Meta::List(list) = &attribute.meta {
                    let lints = &list.tokens;
                    self.outside.push(parse_quote!(#[allow(#lints)]));
                }
                self.inside.push(attribute);
            }
            _ => self.inside.push(attribute),
        }
    }
}
