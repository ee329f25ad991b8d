//! Numbers, booleans, durations and sizes.

use std::time::Duration;

use super::super::document::{Node, Value};
use super::super::faults::Problem;
use super::super::text::inside;
use super::super::units::{self, NotAQuantity, SIZE_UNITS, TIME_UNITS};
use super::Lower;
use super::layers::Layers;
use crate::keys::{self, Shape};
use crate::report::Code;
use crate::spec::Signal;

impl Lower<'_> {
    pub(super) fn boolean_of(&mut self, layers: &Layers<'_>, name: &'static str) -> Option<bool> {
        let field = layers.field(name)?;
        match field.node().value {
            Value::Boolean(value) => Some(value),
            _ => {
                self.wrong_type(field.node(), name, &field.key.shape);
                None
            }
        }
    }

    /// A whole number in the range of its shape.
    pub(super) fn integer(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<i64> {
        let Value::Integer(value) = node.value else {
            self.wrong_type(node, name, shape);
            return None;
        };
        match (value, shape) {
            (Some(value), Shape::Integer { min, max }) if (*min..=*max).contains(&value) => {
                Some(value)
            }
            _ => {
                self.out_of_range(node, name, shape);
                None
            }
        }
    }

    /// The whole number of this key, in the range the table of keys gives it.
    pub(super) fn integer_of<T: TryFrom<i64>>(
        &mut self,
        layers: &Layers<'_>,
        name: &'static str,
    ) -> Option<T> {
        let field = layers.field(name)?;
        let value = self.integer(field.node(), name, &field.key.shape)?;
        T::try_from(value).ok()
    }

    /// The number of this key, in the range the table of keys gives it.
    pub(super) fn number_of(&mut self, layers: &Layers<'_>, name: &'static str) -> Option<f64> {
        let field = layers.field(name)?;
        let node = field.node();
        let value = match node.value {
            // Numbers of the format are small: no integer of that size is rounded.
            Value::Integer(Some(value)) => value as f64,
            Value::Integer(None) => f64::INFINITY,
            Value::Float(value) => value,
            _ => {
                self.wrong_type(node, name, &field.key.shape);
                return None;
            }
        };
        match field.key.shape {
            Shape::Number { min, max } if (min..=max).contains(&value) => Some(value),
            _ => {
                self.out_of_range(node, name, &field.key.shape);
                None
            }
        }
    }

    fn out_of_range(&mut self, node: &Node, name: &str, shape: &Shape) {
        let message = format!("{} cannot be {}", self.of(name), self.files.raw(node.span));
        self.faults.push(
            Problem::error(Code::OutOfRange, node.span, message)
                .label(format!("expected {}", keys::expected(shape))),
        );
    }

    pub(super) fn duration_of(
        &mut self,
        layers: &Layers<'_>,
        name: &'static str,
    ) -> Option<Duration> {
        let field = layers.field(name)?;
        self.duration(field.node(), name, &field.key.shape)
    }

    pub(super) fn duration(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<Duration> {
        if let Value::Integer(_) | Value::Float(_) = node.value {
            self.missing_unit(node, name, shape, "s");
            return None;
        }
        let text = self.string(node, name, shape)?;
        match units::duration(text.trim()) {
            Ok(duration) => Some(duration),
            Err(why) => {
                self.not_a_quantity(node, name, shape, why);
                None
            }
        }
    }

    pub(super) fn size(&mut self, node: &Node, name: &str, shape: &Shape) -> Option<u64> {
        if let Value::Integer(_) | Value::Float(_) = node.value {
            self.missing_unit(node, name, shape, "B");
            return None;
        }
        let text = self.string(node, name, shape)?;
        match units::size(text.trim()) {
            Ok(size) => Some(size),
            Err(why) => {
                self.not_a_quantity(node, name, shape, why);
                None
            }
        }
    }

    pub(super) fn size_of(&mut self, layers: &Layers<'_>, name: &'static str) -> Option<u64> {
        let field = layers.field(name)?;
        self.size(field.node(), name, &field.key.shape)
    }

    fn missing_unit(&mut self, node: &Node, name: &str, shape: &Shape, unit: &str) {
        let raw = self
            .files
            .raw(node.span)
            .trim_matches(['"', '\''])
            .to_owned();
        let message = format!("{} has no unit", self.of(name));
        self.faults.push(
            Problem::error(Code::MissingUnit, node.span, message)
                .label(format!("expected {}", keys::expected(shape)))
                .hint(match unit {
                    "B" => format!("write the unit, such as \"{raw}MB\" or \"{raw}MiB\""),
                    unit => format!("write the unit: \"{raw}{unit}\""),
                }),
        );
    }

    fn not_a_quantity(&mut self, node: &Node, name: &str, shape: &Shape, why: NotAQuantity) {
        let is_size = matches!(shape, Shape::Size) || has_size(shape);
        let (unit, all) = if is_size {
            ("B", SIZE_UNITS)
        } else {
            ("s", TIME_UNITS)
        };
        let shown = self.shown(node);
        let expected = keys::expected(shape);
        match why {
            NotAQuantity::NoUnit => self.missing_unit(node, name, shape, unit),
            NotAQuantity::TooLarge => {
                let message = format!("{} is too large", self.of(name));
                self.faults.push(
                    Problem::error(Code::OutOfRange, node.span, message)
                        .label("more than can be counted"),
                );
            }
            NotAQuantity::Malformed => self.invalid(node.span, name, &shown, expected),
            NotAQuantity::UnknownUnit(start, end) => {
                let text = match &node.value {
                    Value::String(text) if text.get(start..end).is_some() => text.as_str(),
                    _ => "",
                };
                let hint = size_hint(text, start).or(Some(format!("units are {all}")));
                let span = inside(&self.files, node.span, text, start..end);
                self.faults.spoil(node.span);
                self.invalid_hinted(span, name, &shown, expected, hint);
            }
        }
    }

    pub(super) fn signal(&mut self, node: &Node, name: &str) -> Option<Signal> {
        if let Value::Integer(Some(number)) = node.value {
            let hint = i32::try_from(number)
                .ok()
                .and_then(Signal::from_number)
                .map(|signal| format!("write its name: \"{signal}\""));
            self.wrong_type_hinted(node, name, &Shape::Signal, hint);
            return None;
        }
        let text = self.string(node, name, &Shape::Signal)?;
        if let Ok(signal) = text.parse() {
            return Some(signal);
        }
        let names = Signal::ALL.iter().map(|(_, name)| *name);
        let bare = text.to_uppercase();
        let bare = bare.strip_prefix("SIG").unwrap_or(&bare);
        let hint = self
            .suggester
            .nearest(bare, names)
            .map(|near| format!("did you mean \"{near}\"?"));
        let shown = self.shown(node);
        let expected = keys::expected(&Shape::Signal);
        self.invalid_hinted(node.span, name, &shown, expected, hint);
        None
    }

    /// File mode creation mask, in octal digits.
    pub(super) fn umask_of(&mut self, layers: &Layers<'_>) -> Option<u32> {
        let name = "umask";
        let field = layers.field(name)?;
        let node = field.node();
        if let Value::Integer(_) = node.value {
            let raw = self.files.raw(node.span).trim_start_matches("0o");
            let hint = Some(format!("octal digits go into quotes: \"{raw:0>3}\""));
            self.wrong_type_hinted(node, name, &Shape::Octal, hint);
            return None;
        }
        let text = self.string(node, name, &Shape::Octal)?;
        let is_octal = (1..=4).contains(&text.len())
            && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        match u32::from_str_radix(&text, 8) {
            Ok(mask) if is_octal && mask <= 0o777 => Some(mask),
            _ => {
                let shown = self.shown(node);
                let expected = "octal digits from \"0\" to \"777\"".to_owned();
                self.invalid(node.span, name, &shown, expected);
                None
            }
        }
    }
}

fn has_size(shape: &Shape) -> bool {
    matches!(shape, Shape::Either(shapes) if shapes.contains(&Shape::Size))
}

/// `512M` is decimal to some and binary to others.
fn size_hint(text: &str, start: usize) -> Option<String> {
    let number = text.get(..start)?;
    let unit = text.get(start..)?;
    let letter = match unit {
        "K" | "k" | "Ki" => 'K',
        "M" | "Mi" | "mb" | "Mb" => 'M',
        "G" | "g" | "Gi" | "gb" | "Gb" => 'G',
        "T" | "t" | "Ti" | "tb" | "Tb" => 'T',
        _ => return None,
    };
    let decimal = if letter == 'K' { 'k' } else { letter };
    Some(format!(
        "write \"{number}{decimal}B\" (powers of ten) or \"{number}{letter}iB\" (powers of two)"
    ))
}
