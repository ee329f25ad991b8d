//! The mark in a process's environment that says to which child of which tree it belongs.

use std::fmt;
use std::sync::Arc;

/// The variable that carries the mark.
pub const MARK_VARIABLE: &str = "TREEWRIGHT_SCOPE";

/// One running tree, told apart from every other run of a tree of the same name.
///
/// Cheap to clone: the text is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TreeId(Arc<str>);

impl TreeId {
    /// A new identity for a tree called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::from_parts(name, random())
    }

    fn from_parts(name: &str, number: u64) -> Self {
        Self(format!("{}-{number:016x}", escaped(name)).into())
    }

    /// The identity that was written as this text.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// The identity as text: the name and a random number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value of [`MARK_VARIABLE`] says that its process is of this tree.
    #[must_use]
    pub fn is_in(&self, value: &[u8]) -> bool {
        segments(value).any(|segment| {
            segment
                .strip_prefix(self.0.as_bytes())
                .is_some_and(|rest| rest.first() == Some(&b':'))
        })
    }
}

/// The mark of one incarnation of one child, `tree:child:epoch`.
///
/// Its process, and whatever that starts, carries it in [`MARK_VARIABLE`], so that a
/// process which left its group and its parents is still known. A tree inside a tree puts
/// its own mark behind the outer one, with a slash between.
///
/// Cheap to clone: the text is shared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark(Arc<str>);

impl Mark {
    /// The mark of the `epoch`-th incarnation of `child` in `tree`.
    #[must_use]
    pub fn new(tree: &TreeId, child: &str, epoch: u64) -> Self {
        Self(format!("{}:{}:{epoch}", tree.0, escaped(child)).into())
    }

    /// What the variable is set to, given what this process itself was started with.
    pub(super) fn value_inside(&self, outer: Option<&[u8]>) -> Vec<u8> {
        match outer {
            Some(outer) if !outer.is_empty() => [outer, b"/", self.0.as_bytes()].concat(),
            _ => self.0.as_bytes().to_vec(),
        }
    }

    /// Whether it is the mark of a child of this tree.
    pub(super) fn is_of(&self, tree: &TreeId) -> bool {
        tree.is_in(self.0.as_bytes())
    }

    /// Whether the value of [`MARK_VARIABLE`] carries this mark.
    #[must_use]
    pub fn is_in(&self, value: &[u8]) -> bool {
        segments(value).any(|segment| segment == self.0.as_bytes())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn segments(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b'/')
}

/// The name without what means something in a mark, or on the keeper's pipe.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '%' | '/' | ':' | '\0'..='\u{1f}' => {
                text.push_str(&format!("%{:02X}", u32::from(character)));
            }
            other => text.push(other),
        }
    }
    text
}

fn random() -> u64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // Each `RandomState` of a process differs from the last one, and the first is random.
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> TreeId {
        TreeId::from_parts("shop", 7)
    }

    #[test]
    fn mark_of_a_child_is_tree_child_epoch() {
        let mark = Mark::new(&tree(), "web", 3);
        assert_eq!(mark.to_string(), "shop-0000000000000007:web:3");
    }

    #[test]
    fn mark_inside_another_tree_carries_both() {
        let inner = Mark::new(&tree(), "web", 3);
        let outer = Mark::new(&TreeId::from_parts("outer", 1), "run", 1);
        let value = inner.value_inside(Some(&outer.value_inside(None)));
        assert!(inner.is_in(&value) && outer.is_in(&value));
    }

    #[test]
    fn mark_does_not_match_a_longer_name_or_another_epoch() {
        let mark = Mark::new(&tree(), "web", 3);
        for other in [("web", 33), ("web2", 3), ("we", 3)] {
            assert!(!mark.is_in(&Mark::new(&tree(), other.0, other.1).value_inside(None)));
        }
    }

    #[test]
    fn names_with_separators_cannot_forge_another_mark() {
        let mark = Mark::new(&tree(), "web", 3);
        let forged = Mark::new(&TreeId::from_parts("x", 1), &format!("y/{mark}"), 1);
        assert!(!mark.is_in(&forged.value_inside(None)));
        assert!(!tree().is_in(&forged.value_inside(None)));
    }

    #[test]
    fn tree_matches_its_own_marks_only() {
        let value = Mark::new(&tree(), "web", 3).value_inside(None);
        assert!(tree().is_in(&value));
        assert!(!TreeId::from_parts("shop", 8).is_in(&value));
        assert!(!TreeId::from_parts("sho", 7).is_in(&value));
    }
}
