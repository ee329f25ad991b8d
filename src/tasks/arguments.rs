//! Arguments out of a file: by name or by position, checked against what the task takes.

use std::marker::PhantomData;
use std::{fmt, vec};

use serde::de::{self, Deserialize as _, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Function;
use super::argument_fault::{ArgumentFault, ArgumentFaults};

/// The arguments for `T` out of an array, a table, or nothing.
///
/// All names are looked at before any value, and everything that is wrong with them is told
/// at once. An argument that is an `Option` may be left out, since TOML has no word for
/// nothing.
pub(super) fn read<T: Function>(args: Option<toml::Value>) -> Result<T::Args, ArgumentFaults> {
    let values = match args {
        None => Vec::new(),
        Some(toml::Value::Array(values)) => by_position::<T>(values)?,
        Some(toml::Value::Table(table)) => by_name::<T>(table)?,
        Some(other) => {
            return Err(ArgumentFault::Shape {
                task: T::PATH,
                found: other.type_str(),
            }
            .into());
        }
    };
    let arguments = Arguments::<T> {
        values: values.into_iter(),
        names: T::PARAMETERS.iter(),
        task: PhantomData,
    };
    T::Args::deserialize(arguments).map_err(ArgumentFaults::from)
}

fn by_position<T: Function>(
    values: Vec<toml::Value>,
) -> Result<Vec<Option<toml::Value>>, ArgumentFaults> {
    if values.len() > T::PARAMETERS.len() {
        return Err(ArgumentFault::TooMany {
            task: T::PATH,
            given: values.len(),
            known: T::PARAMETERS,
        }
        .into());
    }
    Ok(values.into_iter().map(Some).collect())
}

fn by_name<T: Function>(
    mut table: toml::Table,
) -> Result<Vec<Option<toml::Value>>, ArgumentFaults> {
    let values = T::PARAMETERS
        .iter()
        .map(|name| table.remove(*name))
        .collect();
    let unknown: Vec<_> = table
        .into_iter()
        .map(|(name, _)| ArgumentFault::Unknown {
            task: T::PATH,
            name,
            known: T::PARAMETERS,
        })
        .collect();
    match unknown.is_empty() {
        true => Ok(values),
        false => Err(unknown.into()),
    }
}

/// The arguments of `T` as serde wants to read them: a sequence with one value for each
/// parameter, where a value may be absent.
struct Arguments<T> {
    values: vec::IntoIter<Option<toml::Value>>,
    names: std::slice::Iter<'static, &'static str>,
    task: PhantomData<T>,
}

impl<'de, T: Function> Deserializer<'de> for Arguments<T> {
    type Error = ArgumentFault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match T::PARAMETERS {
            [] => visitor.visit_unit(),
            _ => visitor.visit_seq(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
        identifier ignored_any
    }
}

impl<'de, T: Function> SeqAccess<'de> for Arguments<T> {
    type Error = ArgumentFault;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let Some(name) = self.names.next() else {
            return Ok(None);
        };
        let value = match self.values.next().flatten() {
            Some(value) => seed
                .deserialize(value)
                .map_err(|error| ArgumentFault::Invalid {
                    task: T::PATH,
                    name,
                    reason: error.to_string().trim_end().to_owned(),
                })?,
            None => seed
                .deserialize(Absent)
                .map_err(|_| ArgumentFault::Missing {
                    task: T::PATH,
                    name,
                })?,
        };
        Ok(Some(value))
    }
}

/// An argument that was left out, which is nothing to an `Option` and an error to all else.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = AbsentError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(AbsentError)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

#[derive(Debug, thiserror::Error)]
#[error("absent")]
struct AbsentError;

impl de::Error for AbsentError {
    fn custom<M: fmt::Display>(_: M) -> Self {
        Self
    }
}
