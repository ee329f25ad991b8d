//! Who has a process at the moment.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use treewright_supervisors::spec::ChildName;

/// The children that have a process, in the order in which they were started.
#[derive(Clone, Debug, Default)]
pub(in crate::tree) struct Living(Rc<RefCell<Register>>);

#[derive(Debug, Default)]
struct Register {
    last: u64,
    names: BTreeMap<u64, ChildName>,
}

impl Living {
    pub(in crate::tree) fn names(&self) -> Vec<ChildName> {
        self.0.borrow().names.values().cloned().collect()
    }

    /// A child has a process until the guard is dropped.
    pub(super) fn enter(&self, name: &ChildName) -> Alive {
        let mut register = self.0.borrow_mut();
        register.last += 1;
        let number = register.last;
        register.names.insert(number, name.clone());
        Alive {
            living: self.clone(),
            number,
        }
    }
}

/// The mark of one living child.
#[derive(Debug)]
pub(super) struct Alive {
    living: Living,
    number: u64,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.living.0.borrow_mut().names.remove(&self.number);
    }
}
