//! Functions: their numbers, and how they are told before their first job.

use std::collections::HashMap;

use bytes::Buf;

use super::message::Item;
use crate::error::{Error, ErrorKind, Result};
use crate::tasks::{TaskEntry, registry};

/// The functions of all jobs so far, each with a number.
#[derive(Debug, Default)]
pub(super) struct Functions {
    list: Vec<(&'static str, u64)>,
    numbers: HashMap<(&'static str, u64), u32>,
}

impl Functions {
    /// The number of a function, from 0 in the order in which they are first asked for.
    pub(super) fn number_of(&mut self, path: &'static str, signature: u64) -> u32 {
        *self.numbers.entry((path, signature)).or_insert_with(|| {
            self.list.push((path, signature));
            u32::try_from(self.list.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The path and the signature of the function that has this number.
    pub(super) fn get(&self, number: u32) -> (&'static str, u64) {
        self.list[number as usize]
    }
}

/// The bytes by which one side tells the other of a function.
pub(super) fn tell(path: &str, signature: u64) -> Vec<u8> {
    [&signature.to_le_bytes()[..], path.as_bytes()].concat()
}

/// The function that is told as the `next` one, or why there is none here.
///
/// # Errors
///
/// If it makes no sense, for which the other side is to blame.
pub(super) fn learn(item: &Item, next: usize) -> Result<Result<&'static TaskEntry>> {
    let mut body = item.body.clone();
    if item.number as usize != next || body.len() < 8 {
        return Err(Error::new(ErrorKind::Broken, "a function out of turn"));
    }
    let signature = body.get_u64_le();
    Ok(registry().map_err(Error::from).and_then(|registry| {
        let path = str::from_utf8(&body).map_err(|error| Error::wrap(ErrorKind::Broken, error))?;
        Ok(registry.find(path, signature)?)
    }))
}
