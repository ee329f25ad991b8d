//! Requests: OTP's, with OTP's results, and the operator's.

use std::sync::Arc;

use super::child::{AfterStop, Child, ChildState, StartCause};
use super::pool::Pool;
use super::state::Phase;
use super::waiters::Awaited;
use super::{Answer, ChildKey, ChildRef, Request, RequestError, RequestId, SupervisorState};
use crate::spec::{AutoShutdown, ChildName, ChildSpec, RestartType, StartCondition};

impl SupervisorState {
    pub(super) fn on_request(&mut self, from: RequestId, request: Request) {
        if self.must_queue(&request) {
            self.queue.push_back((from, request));
        } else {
            self.perform(from, request);
        }
    }

    /// Performs the queued requests whose time has come; tells whether there was one.
    pub(super) fn serve_queue(&mut self) -> bool {
        let mut has_served = false;
        for _ in 0..self.queue.len() {
            let Some((from, request)) = self.queue.pop_front() else {
                break;
            };
            if self.must_queue(&request) {
                self.queue.push_back((from, request));
            } else {
                self.perform(from, request);
                has_served = true;
            }
        }
        has_served
    }

    pub(super) fn refuse_queue(&mut self) {
        for (from, _) in std::mem::take(&mut self.queue) {
            self.reply(from, &Err(RequestError::ShuttingDown));
        }
    }

    /// Whether the answer depends on something that is under way. Questions and stops never
    /// queue, and nothing does once the supervisor ends.
    fn must_queue(&self, request: &Request) -> bool {
        if self.is_ending() {
            return false;
        }
        let is_busy = matches!(self.phase, Phase::New | Phase::Starting) || self.is_pass_at_work();
        match request {
            Request::TerminateChild(_)
            | Request::Stop(_)
            | Request::GetChildspec(_)
            | Request::WhichChildren
            | Request::WhichChild(_)
            | Request::CountChildren => false,
            Request::StartChild(spec) => match self.children.key(&spec.name) {
                Some(key) => self.is_stopping(key),
                None => is_busy,
            },
            Request::RestartChild(name) | Request::DeleteChild(name) => self
                .children
                .key(name)
                .is_some_and(|key| is_busy || self.is_stopping(key)),
            Request::Start(name) | Request::Restart(name) => self
                .children
                .key(name)
                .is_some_and(|key| self.must_operator_wait(key, is_busy)),
            Request::StartMember { .. } => is_busy,
            // Also in the supervisor's own start: a reload may be what a child that does not
            // start is waiting for.
            Request::Reload { .. } => matches!(self.phase, Phase::New) || self.is_pass_at_work(),
            Request::Scale(_) | Request::ReloadPool { .. } => {
                is_busy || self.pool.as_ref().is_some_and(Pool::is_shrinking)
            }
        }
    }

    fn must_operator_wait(&self, key: ChildKey, is_busy: bool) -> bool {
        if matches!(self.phase, Phase::New) {
            return true;
        }
        match self.children.state(key) {
            // A held child is nobody's business but the operator's, and others may wait for it.
            Some(
                ChildState::Held
                | ChildState::Stopping {
                    next: AfterStop::Start,
                },
            ) => false,
            Some(ChildState::Stopping { .. }) => true,
            _ => is_busy,
        }
    }

    fn is_stopping(&self, key: ChildKey) -> bool {
        matches!(self.children.state(key), Some(ChildState::Stopping { .. }))
    }

    fn perform(&mut self, from: RequestId, request: Request) {
        if self.is_ending() && !self.is_answered_to_the_end(&request) {
            self.reply(from, &Err(RequestError::ShuttingDown));
            return;
        }
        match request {
            Request::StartChild(spec) => self.start_new_child(from, *spec),
            Request::StartMember { args } => self.start_member(from, args),
            Request::TerminateChild(child) => match self.resolve(&child) {
                Ok(key) => self.terminate(from, key),
                Err(_) if self.was_member(&child) => self.reply(from, &Ok(Answer::Done)),
                Err(error) => self.reply(from, &Err(error)),
            },
            Request::RestartChild(name) => self.with_static(from, &name, Self::restart_child),
            Request::DeleteChild(name) => self.with_static(from, &name, Self::delete_child),
            Request::GetChildspec(child) => {
                let spec = self.spec_of(&child);
                self.reply(from, &spec.map(Answer::Spec));
            }
            Request::WhichChildren => {
                let children = self.which_children();
                self.reply(from, &Ok(Answer::Children(children)));
            }
            Request::WhichChild(name) => self.with_static(from, &name, Self::look_up),
            Request::CountChildren => {
                let counts = self.count_children();
                self.reply(from, &Ok(Answer::Counts(counts)));
            }
            Request::Start(name) => self.with_child(from, &name, Self::operator_start),
            Request::Stop(name) => self.with_child(from, &name, Self::operator_stop),
            Request::Restart(name) => self.with_child(from, &name, Self::operator_restart),
            Request::Scale(size) => self.scale(from, size),
            Request::Reload { spec, links, mode } => self.reload(from, *spec, links, mode),
            Request::ReloadPool { spec, mode } => self.reload_pool(from, &spec, mode),
        }
    }

    /// Questions are answered until nothing is left to ask about.
    fn is_answered_to_the_end(&self, request: &Request) -> bool {
        let is_question = matches!(
            request,
            Request::GetChildspec(_)
                | Request::WhichChildren
                | Request::WhichChild(_)
                | Request::CountChildren
        );
        is_question && matches!(self.phase, Phase::Ending(_))
    }

    fn with_child(
        &mut self,
        from: RequestId,
        name: &ChildName,
        perform: fn(&mut Self, RequestId, ChildKey),
    ) {
        match self.children.key(name) {
            Some(key) => perform(self, from, key),
            None => self.reply(from, &Err(RequestError::NotFound)),
        }
    }

    /// As `with_child`, for what OTP refuses on `simple_one_for_one`.
    fn with_static(
        &mut self,
        from: RequestId,
        name: &ChildName,
        perform: fn(&mut Self, RequestId, ChildKey),
    ) {
        if self.pool.is_some() {
            self.reply(from, &Err(RequestError::SimpleOneForOne));
        } else {
            self.with_child(from, name, perform);
        }
    }

    /// By name among named children, by key among a pool's members; never across.
    fn resolve(&self, child: &ChildRef) -> Result<ChildKey, RequestError> {
        match (child, &self.pool) {
            (ChildRef::Name(_), Some(_)) => Err(RequestError::SimpleOneForOne),
            (ChildRef::Name(name), None) => self.children.key(name).ok_or(RequestError::NotFound),
            (ChildRef::Member(key), Some(_)) if self.children.get(*key).is_some() => Ok(*key),
            (ChildRef::Member(_), _) => Err(RequestError::NotFound),
        }
    }

    /// A child's spec. That of a pool's members is the template, also for one that is gone.
    fn spec_of(&self, child: &ChildRef) -> Result<Arc<ChildSpec>, RequestError> {
        if let (true, Some(pool)) = (self.was_member(child), &self.pool) {
            return Ok(pool.template());
        }
        let key = self.resolve(child).map_err(|_| RequestError::NotFound)?;
        let child = self.children.get(key).ok_or(RequestError::NotFound)?;
        Ok(Arc::clone(&child.spec))
    }

    /// Whether this was a member of the pool: one that is gone is as terminated as can be.
    fn was_member(&self, child: &ChildRef) -> bool {
        match child {
            ChildRef::Member(key) => self.pool.is_some() && self.children.was_known(*key),
            ChildRef::Name(_) => false,
        }
    }

    fn look_up(&mut self, from: RequestId, key: ChildKey) {
        let child = self.children.get(key);
        let child = child.map(|child| Answer::Children(vec![self.info(key, child)]));
        self.reply(from, &child.ok_or(RequestError::NotFound));
    }

    fn start_new_child(&mut self, from: RequestId, spec: ChildSpec) {
        // In OTP's order: a spec that is refused is so whether its name is taken or not.
        if let Err(fault) = self.check_new_child(&spec) {
            self.reply(from, &Err(RequestError::Invalid(fault)));
        } else if let Some(key) = self.children.key(&spec.name) {
            let child = self.children.get(key).filter(|child| child.state.is_live());
            let error = match child {
                Some(child) => RequestError::AlreadyStarted(child.incarnation(key)),
                None => RequestError::AlreadyPresent,
            };
            self.reply(from, &Err(error));
        } else {
            let mut child = Child::new(spec.name.clone(), Arc::new(spec), None);
            child.is_added = true;
            let key = self.add(child);
            self.wait(from, key, Awaited::Started);
            self.begin_start(key, StartCause::Added);
        }
    }

    /// What the loader and the builder check for children of a spec.
    pub(super) fn check_new_child(&self, spec: &ChildSpec) -> Result<(), String> {
        if self.pool.is_some() {
            return Err("a pool has one template and no other children".into());
        }
        check_combinations(spec, self.flags.auto_shutdown)?;
        for name in spec.depends_on.keys() {
            if self.children.key(name).is_none() && !self.dependencies.is_awaited(name) {
                return Err(format!(
                    "`{}` depends on `{name}`, which is unknown here",
                    spec.name
                ));
            }
        }
        Ok(())
    }

    /// Stops a child and leaves it down; also ends its restart, if it is in one.
    pub(super) fn terminate(&mut self, from: RequestId, key: ChildKey) {
        let Some(state) = self.children.state(key).cloned() else {
            return;
        };
        self.wait(from, key, Awaited::Stopped);
        match state {
            ChildState::Starting { .. } | ChildState::Running { .. } => {
                self.leave_out(key);
                self.stop_child(key, AfterStop::Down);
                self.answer(key, Awaited::Started, &Err(RequestError::Superseded));
            }
            ChildState::Stopping { next } => {
                self.leave_out(key);
                let next = if next == AfterStop::Hold {
                    next
                } else {
                    AfterStop::Down
                };
                self.set_state(key, ChildState::Stopping { next });
                self.answer(key, Awaited::Started, &Err(RequestError::Superseded));
            }
            ChildState::Waiting { .. } => {
                self.abandon_pass_of(key);
                self.put_down(key);
            }
            ChildState::Gated { .. } | ChildState::Down | ChildState::Completed => {
                self.leave_out(key);
                self.put_down(key);
            }
            ChildState::Held => self.rest(key, ChildState::Held, &Err(RequestError::Superseded)),
        }
    }

    /// A child that is not live stays down.
    fn put_down(&mut self, key: ChildKey) {
        self.rest(key, ChildState::Down, &Err(RequestError::Superseded));
        if self.is_temporary(key) || self.pool.is_some() {
            self.forget(key);
        }
    }

    /// The pass under way does not start this child any more.
    fn leave_out(&mut self, key: ChildKey) {
        if let Some(pass) = &mut self.pass {
            pass.exclude(key);
        }
    }

    /// In OTP, terminating the child whose restart is tried again and again ends the group's
    /// restart with it: its siblings stay as they are.
    fn abandon_pass_of(&mut self, key: ChildKey) {
        let is_culprit = self
            .pass
            .as_ref()
            .is_some_and(|pass| pass.culprit() == Some(key));
        if is_culprit && !self.is_pass_at_work() && !matches!(self.phase, Phase::Starting) {
            self.pass = None;
            self.recheck_gates();
            self.answer_left_down();
        } else {
            self.leave_out(key);
        }
    }

    fn restart_child(&mut self, from: RequestId, key: ChildKey) {
        match self.children.state(key) {
            Some(state) if state.is_live() => self.reply(from, &Err(RequestError::Running)),
            Some(ChildState::Down | ChildState::Completed | ChildState::Held) => {
                self.wait(from, key, Awaited::Started);
                self.begin_start(key, StartCause::Asked);
            }
            _ => self.reply(from, &Err(RequestError::Restarting)),
        }
    }

    fn delete_child(&mut self, from: RequestId, key: ChildKey) {
        match self.children.state(key) {
            Some(state) if state.is_live() => self.reply(from, &Err(RequestError::Running)),
            Some(ChildState::Down | ChildState::Completed | ChildState::Held) => {
                self.forget(key);
                self.reply(from, &Ok(Answer::Done));
            }
            _ => self.reply(from, &Err(RequestError::Restarting)),
        }
    }

    fn operator_start(&mut self, from: RequestId, key: ChildKey) {
        let Some(child) = self.children.get_mut(key) else {
            return;
        };
        if let ChildState::Running { .. } = child.state {
            let running = RequestError::AlreadyStarted(child.incarnation(key));
            self.reply(from, &Err(running));
            return;
        }
        child.attempts = 0;
        let state = child.state.clone();
        self.wait(from, key, Awaited::Started);
        match state {
            ChildState::Down | ChildState::Completed | ChildState::Held => {
                self.begin_start(key, StartCause::Asked);
            }
            // Its backoff is over, and with it the wait of a group it holds up.
            ChildState::Waiting { .. } => {
                self.set_state(key, ChildState::Waiting { until: self.now });
            }
            _ => {}
        }
    }

    fn operator_stop(&mut self, from: RequestId, key: ChildKey) {
        self.leave_out(key);
        self.wait(from, key, Awaited::Stopped);
        match self.children.state(key) {
            // A member that the pool is giving up is stopped for good, and held for nobody.
            Some(ChildState::Stopping { .. }) if self.is_leaving(key) => {}
            Some(ChildState::Starting { .. } | ChildState::Running { .. }) => {
                self.stop_child(key, AfterStop::Hold);
                self.answer(key, Awaited::Started, &Err(RequestError::Superseded));
            }
            Some(ChildState::Stopping { .. }) => {
                self.set_state(
                    key,
                    ChildState::Stopping {
                        next: AfterStop::Hold,
                    },
                );
                self.answer(key, Awaited::Started, &Err(RequestError::Superseded));
            }
            _ => self.rest(key, ChildState::Held, &Err(RequestError::Superseded)),
        }
    }

    fn operator_restart(&mut self, from: RequestId, key: ChildKey) {
        match self.children.state(key) {
            Some(ChildState::Starting { .. } | ChildState::Running { .. }) => {
                self.wait(from, key, Awaited::Started);
                self.stop_child(key, AfterStop::Start);
                if let Some(child) = self.children.get_mut(key) {
                    child.attempts = 0;
                }
            }
            // Two restarts at once are one.
            Some(ChildState::Stopping { .. }) => self.wait(from, key, Awaited::Started),
            _ => self.operator_start(from, key),
        }
    }
}

/// The combinations that OTP and the format refuse, for one child.
pub(super) fn check_combinations(spec: &ChildSpec, auto: AutoShutdown) -> Result<(), String> {
    let name = &spec.name;
    if spec.significant && auto == AutoShutdown::Never {
        return Err(format!(
            "`{name}` is significant, but auto_shutdown is never"
        ));
    }
    if spec.significant && spec.restart == RestartType::Permanent {
        return Err(format!("`{name}` is significant and permanent"));
    }
    if spec.start == StartCondition::Completed && spec.restart == RestartType::Permanent {
        return Err(format!(
            "`{name}` has to complete to count as started and is permanent"
        ));
    }
    Ok(())
}
