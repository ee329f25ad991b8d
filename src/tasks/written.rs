//! A call as a file has it: for children of a tree that are built in Rust.

use serde::Serialize;
use treewright_supervisors::builder::ActorFunction;

use super::{Call, Function};

/// The function and its arguments, as they would stand in a file: by position where TOML has
/// a word for each, and else by name, with those that are `None` left out.
///
/// Arguments that TOML has no word for, such as an integer over 2⁶³ − 1, are a fault when the
/// tree is built.
///
/// # Examples
///
/// ```
/// use treewright::{Child, Supervisor};
///
/// #[treewright::task]
/// async fn resizer(quality: u8, folder: Option<String>) {
///     println!("{quality} {folder:?}");
/// }
///
/// let spec = Supervisor::builder("shop").child(Child::actor("resizer", resizer(80, None))).build()?;
/// assert!(spec.to_toml()?.contains("quality = 80"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<F: Function> From<Call<F>> for ActorFunction {
    fn from(call: Call<F>) -> Self {
        let function = Self::named(F::PATH);
        if F::PARAMETERS.is_empty() {
            return function;
        }
        match written(F::PARAMETERS, call.args()) {
            Ok(args) => function.args(args),
            Err(why) => function.unwritable(why),
        }
    }
}

fn written(names: &[&str], args: &impl Serialize) -> Result<toml::Value, String> {
    if let Ok(by_position) = toml::Value::try_from(args) {
        return Ok(by_position);
    }
    // JSON has a word for nothing.
    let values = serde_json::to_value(args).map_err(|error| error.to_string())?;
    let values = values.as_array().into_iter().flatten();
    let mut by_name = toml::Table::new();
    for (name, value) in names
        .iter()
        .zip(values)
        .filter(|(_, value)| !value.is_null())
    {
        let value = toml::Value::try_from(value).map_err(|error| format!("`{name}`: {error}"))?;
        by_name.insert((*name).to_owned(), value);
    }
    Ok(by_name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_by_position_where_each_has_a_word() {
        let args = written(&["a", "b"], &(1_u8, "x")).unwrap();
        assert_eq!(args.to_string(), r#"[1, "x"]"#);
    }

    #[test]
    fn arguments_that_are_none_are_left_out_by_name() {
        let args = written(&["a", "b"], &(None::<u8>, vec![f64::MAX])).unwrap();
        assert_eq!(args, toml::toml! { b = [1.7976931348623157e308] }.into());
    }

    #[test]
    fn number_that_toml_does_not_have_is_refused_by_its_name() {
        let why = written(&["a", "b"], &(1_u8, u64::MAX)).unwrap_err();
        assert!(why.starts_with("`b`: "), "{why}");
    }
}
