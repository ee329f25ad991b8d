//! What a reload of a supervisor is for the supervisors below it.

use std::rc::Rc;
use std::sync::Arc;

use treewright_supervisors::spec::{ChildKind, ChildSpec};
use treewright_supervisors::supervisor::{ReloadMode, Reply, Request, RequestId};

use super::context::TreeContext;
use super::mail::{Caller, Mail};
use super::supervisor::Driver;
use crate::rt::channel;

/// The reloads that are not answered yet, with whom those below are to answer.
#[derive(Debug, Default)]
pub(super) struct Reloads(Vec<(RequestId, channel::Sender<Reply>)>);

impl Reloads {
    pub(super) fn accept(&mut self, from: RequestId, below: Option<channel::Sender<Reply>>) {
        self.0.extend(below.map(|below| (from, below)));
    }
}

impl Driver<'_> {
    /// Gives each supervisor below what the machine has taken over for it since it was
    /// started, or told.
    ///
    /// It is looked at after every step of a reload: the machine takes over a spec in its own
    /// time, and may start a supervisor with the former one just before.
    pub(super) fn pass_reload_on(&mut self) {
        let Some((_, below)) = self.reloads.0.last() else {
            return;
        };
        for commander in self.lives.values_mut() {
            let Some(mailbox) = &commander.mailbox else {
                continue;
            };
            let Some(spec) = self.state.childspec(&commander.spec.name) else {
                continue;
            };
            let now = self.context.wanted();
            let is_same_spec = Arc::ptr_eq(&spec, &commander.spec) || spec == commander.spec;
            let is_same_links =
                Rc::ptr_eq(&now, &commander.told) || now.links == commander.told.links;
            commander.told = now;
            if is_same_spec && is_same_links {
                continue;
            }
            if let Some(request) = request(&self.context, &spec) {
                let caller = Caller::with_below(below.clone(), below.clone());
                mailbox.post(Mail::Request(request, caller));
                self.context.tell_standings(&spec.name, mailbox);
                commander.spec = spec;
            }
        }
        let callers = &self.callers;
        self.reloads
            .0
            .retain(|(from, _)| callers.contains_key(from));
    }
}

fn request(context: &TreeContext, child: &ChildSpec) -> Option<Request> {
    let mode = ReloadMode::Act;
    match &child.kind {
        ChildKind::Supervisor(spec) => Some(Request::Reload {
            spec: spec.clone(),
            links: context.shared.links(&child.name),
            mode,
        }),
        ChildKind::Pool(spec) => {
            let spec = spec.clone();
            Some(Request::ReloadPool { spec, mode })
        }
        _ => None,
    }
}
