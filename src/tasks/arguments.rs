//! Arguments out of a file: by name or by position, checked against what the task takes.

use std::fmt;
use std::vec;

use serde::Serialize;
use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use treewright_supervisors::suggest;

use super::Function;
use super::argument_fault::{ArgumentFault, ArgumentFaults};

/// The arguments of a function, as a tuple of up to sixteen. It is implemented for all of them
/// that travel, and not by hand.
pub trait Arguments: Serialize + DeserializeOwned + 'static {
    /// Reads all of them one by one; `None` if one could not be read.
    #[doc(hidden)]
    fn read(values: &mut ArgumentValues) -> Option<Self>;
}

impl Arguments for () {
    fn read(_values: &mut ArgumentValues) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    ($($name:ident)*) => {
        impl<$($name: Serialize + DeserializeOwned + 'static),*> Arguments for ($($name,)*) {
            #[expect(non_snake_case, reason = "a variable has the name of its type")]
            fn read(values: &mut ArgumentValues) -> Option<Self> {
                // Each is read, so that everything that is wrong is found at once.
                $(let $name = values.next::<$name>();)*
                Some(($($name?,)*))
            }
        }
    };
}

tuples!(A);
tuples!(A B);
tuples!(A B C);
tuples!(A B C D);
tuples!(A B C D E);
tuples!(A B C D E F);
tuples!(A B C D E F G);
tuples!(A B C D E F G H);
tuples!(A B C D E F G H I);
tuples!(A B C D E F G H I J);
tuples!(A B C D E F G H I J K);
tuples!(A B C D E F G H I J K L);
tuples!(A B C D E F G H I J K L M);
tuples!(A B C D E F G H I J K L M N);
tuples!(A B C D E F G H I J K L M N O);
tuples!(A B C D E F G H I J K L M N O P);

/// The values of a file in the order of the parameters, each of which may be absent, and what was
/// found to be wrong with them.
#[derive(Debug)]
pub struct ArgumentValues {
    task: &'static str,
    values: vec::IntoIter<Option<toml::Value>>,
    names: std::slice::Iter<'static, &'static str>,
    /// Names of no parameter, of which one may stand for one that is missing.
    unknown: Vec<String>,
    faults: Vec<ArgumentFault>,
}

impl ArgumentValues {
    /// The next argument as this type. One that is an `Option` may be left out, since TOML has no
    /// word for nothing.
    fn next<T: DeserializeOwned>(&mut self) -> Option<T> {
        let (task, name) = (self.task, self.names.next()?);
        let Some(value) = self.values.next().flatten() else {
            let nothing = T::deserialize(Absent).ok();
            // A slip in its name is told as one, and not twice.
            let mut slips = self.unknown.iter();
            if nothing.is_none() && !slips.any(|slip| suggest::nearest(slip, [*name]).is_some()) {
                self.faults.push(ArgumentFault::Missing { task, name });
            }
            return nothing;
        };
        let value = T::deserialize(value).map_err(|error| ArgumentFault::Invalid {
            task,
            name,
            reason: error.to_string().trim_end().replace('\n', ", "),
        });
        value.map_err(|fault| self.faults.push(fault)).ok()
    }
}

/// The arguments for `T` out of an array, a table, or nothing. Everything that is wrong with
/// them is told at once.
pub(super) fn read<T: Function>(args: Option<toml::Value>) -> Result<T::Args, ArgumentFaults> {
    let (values, faults) = match args {
        None => (Vec::new(), Vec::new()),
        Some(toml::Value::Array(values)) => by_position::<T>(values),
        Some(toml::Value::Table(table)) => by_name::<T>(table),
        Some(other) => {
            return Err(ArgumentFault::Shape {
                task: T::PATH,
                found: other.type_str(),
            }
            .into());
        }
    };
    let unknown = faults.iter().filter_map(|fault| match fault {
        ArgumentFault::Unknown { name, .. } => Some(name.clone()),
        _ => None,
    });
    let mut values = ArgumentValues {
        task: T::PATH,
        values: values.into_iter(),
        names: T::PARAMETERS.iter(),
        unknown: unknown.collect(),
        faults,
    };
    match T::Args::read(&mut values) {
        Some(args) if values.faults.is_empty() => Ok(args),
        _ => Err(values.faults.into()),
    }
}

/// The values in order, and what is wrong with how they are given.
type Given = (Vec<Option<toml::Value>>, Vec<ArgumentFault>);

fn by_position<T: Function>(values: Vec<toml::Value>) -> Given {
    let too_many = ArgumentFault::TooMany {
        task: T::PATH,
        given: values.len(),
        known: T::PARAMETERS,
    };
    let is_too_many = values.len() > T::PARAMETERS.len();
    let faults = is_too_many.then_some(too_many).into_iter().collect();
    (values.into_iter().map(Some).collect(), faults)
}

fn by_name<T: Function>(mut table: toml::Table) -> Given {
    let values = T::PARAMETERS
        .iter()
        .map(|name| table.remove(*name))
        .collect();
    let unknown = table.into_iter().map(|(name, _)| ArgumentFault::Unknown {
        task: T::PATH,
        name,
        known: T::PARAMETERS,
    });
    (values, unknown.collect())
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
