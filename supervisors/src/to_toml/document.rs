//! The layout of a file: tables with a header, one setting a line.

use super::value::{Value, key_text};

/// Longer lines are spread over several where TOML has a form for that.
const WIDTH: usize = 100;

/// A table with a header, and the settings in it.
pub(super) struct Section {
    /// Kind and name; only the kind for `[tree]`.
    header: Vec<String>,
    settings: Vec<(&'static str, Value)>,
}

impl Section {
    pub(super) fn new(kind: &str, name: Option<&str>) -> Self {
        let header = [Some(kind), name].into_iter().flatten();
        Self {
            header: header.map(str::to_owned).collect(),
            settings: Vec::new(),
        }
    }

    pub(super) fn set(&mut self, key: &'static str, value: Value) {
        self.settings.push((key, value));
    }

    /// Sets the key unless the value is the default.
    pub(super) fn set_unless<T: PartialEq>(
        &mut self,
        key: &'static str,
        value: &T,
        default: &T,
        write: impl FnOnce(&T) -> Value,
    ) {
        if value != default {
            self.set(key, write(value));
        }
    }

    /// Sets the key where there is a value.
    pub(super) fn set_some<T>(
        &mut self,
        key: &'static str,
        value: Option<&T>,
        write: impl FnOnce(&T) -> Value,
    ) {
        if let Some(value) = value {
            self.set(key, write(value));
        }
    }

    fn write(&self, text: &mut String) {
        write_header(&self.header, text);
        let mut below = Vec::new();
        for (key, value) in &self.settings {
            let line = format!("{key} = {}\n", value.inline());
            let is_long = line.chars().count() > WIDTH;
            match value {
                // A long table gets a header of its own: TOML 1.0 wants inline tables on one line.
                Value::Table(entries) if is_long => below.push((*key, entries)),
                Value::Array(_) if is_long => spread(key, value, text),
                Value::Text(_) => spread(key, value, text),
                _ => text.push_str(&line),
            }
        }
        for (key, entries) in below {
            text.push('\n');
            let header: Vec<String> = self
                .header
                .iter()
                .cloned()
                .chain([key.to_owned()])
                .collect();
            write_header(&header, text);
            for (key, value) in entries {
                text.push_str(&format!("{} = {}\n", key_text(key), value.inline()));
            }
        }
    }
}

fn spread(key: &str, value: &Value, text: &mut String) {
    let value = value.spread().unwrap_or_else(|| value.inline());
    text.push_str(&format!("{key} = {value}\n"));
}

fn write_header(header: &[String], text: &mut String) {
    let header: Vec<String> = header.iter().map(|part| key_text(part)).collect();
    text.push_str(&format!("[{}]\n", header.join(".")));
}

/// The sections as one text, an empty line between two.
pub(super) fn render(sections: &[Section]) -> String {
    let mut text = String::new();
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        section.write(&mut text);
    }
    text
}
