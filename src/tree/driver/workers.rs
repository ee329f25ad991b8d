//! A pool of workers as a child: one actor, whose function is to be the pool.

use std::rc::Rc;
use std::sync::Arc;

use treewright_supervisors::spec::{ActorSpec, ChildKind, ChildSpec, WorkersSpec};

use super::life::Life;
use crate::pool::{Service, serve_path};

/// The life of the process that is this pool.
pub(super) fn as_actor(life: &Life, pool: &WorkersSpec) -> Rc<Life> {
    let child = &*life.spec;
    let actor = ActorSpec {
        task: serve_path().to_owned(),
        args: Service::new(&child.name, pool).as_arguments(),
        exe: pool.exe.clone(),
        exec: pool.exec.clone(),
    };
    let spec = ChildSpec {
        kind: ChildKind::Actor(Box::new(actor)),
        ..child.clone()
    };
    Rc::new(Life {
        spec: Arc::new(spec),
        incarnation: life.incarnation,
        supervisor: life.supervisor.clone(),
    })
}
