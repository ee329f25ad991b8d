//! The two parts of a result, for code that was given the type as one.

/// A `Result`, under whatever alias.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Result`",
    label = "a type whose name ends in `Result` is taken for one",
    note = "give the type another name, or an alias that does not end in `Result`"
)]
pub trait Fallible {
    /// What is there when it went well.
    type Value;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;
}
