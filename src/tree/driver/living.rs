//! Who has a process at the moment.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use treewright_supervisors::spec::ChildName;

use crate::tree::isolated::{Told, Uplink};

/// The children that have a process, in the order in which they were started.
#[derive(Clone, Debug, Default)]
pub(in crate::tree) struct Living {
    register: Rc<RefCell<Register>>,
    /// Who is told, too.
    above: Option<Uplink>,
}

#[derive(Debug, Default)]
struct Register {
    last: u64,
    names: BTreeMap<u64, ChildName>,
}

impl Living {
    pub(in crate::tree) fn new(above: Option<Uplink>) -> Self {
        let register = Rc::default();
        Self { register, above }
    }

    pub(in crate::tree) fn names(&self) -> Vec<ChildName> {
        self.register.borrow().names.values().cloned().collect()
    }

    /// A child has a process until the guard is dropped.
    pub(in crate::tree) fn enter(&self, name: &ChildName) -> Alive {
        let mut register = self.register.borrow_mut();
        register.last += 1;
        let number = register.last;
        register.names.insert(number, name.clone());
        if let Some(above) = &self.above {
            let child = name.clone();
            above.tell(Told::Alive { child, number });
        }
        Alive {
            living: self.clone(),
            number,
        }
    }
}

/// The mark of one living child.
#[derive(Debug)]
pub(in crate::tree) struct Alive {
    living: Living,
    number: u64,
}

impl Drop for Alive {
    fn drop(&mut self) {
        let number = self.number;
        self.living.register.borrow_mut().names.remove(&number);
        if let Some(above) = &self.living.above {
            above.tell(Told::Dead { number });
        }
    }
}
