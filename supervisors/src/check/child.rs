//! What must hold of one child and its supervisor.

use super::index::{Index, Thing};
use super::tree::Scope;
use super::{numbers, texts};
use crate::report::{Code, Fault, SpecPath};
use crate::spec::{
    AutoShutdown, ChildKind, ChildSpec, RestartType, StartCondition, SupervisorSpec,
};

/// Adds what is wrong with this thing.
pub(super) fn check(thing: &Thing<'_>, index: &Index<'_>, scope: Scope, faults: &mut Vec<Fault>) {
    if let Some(supervisor) = thing.supervisor {
        numbers::limit(supervisor.period, &thing.title(), &thing.path(), faults);
    }
    let Some(child) = thing.child else {
        return;
    };
    let settings = match &child.kind {
        ChildKind::Pool(pool) => {
            numbers::pool(pool, thing, faults);
            significant_pool(child, &pool.template, thing, faults);
            &pool.template
        }
        ChildKind::Workers(workers) => {
            numbers::workers(workers, thing, faults);
            significant_pool(child, child, thing, faults);
            child
        }
        _ => child,
    };
    if !matches!(child.kind, ChildKind::Pool(_) | ChildKind::Workers(_)) {
        significant(settings, thing, faults);
        if let (Scope::Whole, Some(supervisor)) = (scope, index.things[thing.parent].supervisor) {
            significant_under(settings, supervisor, thing, faults);
        }
    }
    start(settings, thing, faults);
    numbers::settings(settings, thing, faults);
    texts::kind(&settings.kind, thing, faults);
}

fn significant(child: &ChildSpec, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    if !child.significant || child.restart != RestartType::Permanent {
        return;
    }
    faults.push(
        Fault::error(
            Code::SignificantPermanent,
            thing.path().key("significant"),
            format!("{} is significant and permanent", thing.title()),
        )
        .label("its end would end the supervisor …")
        .related(
            thing.path().key("restart"),
            "… and it never ends: `restart` is \"permanent\"",
        )
        .hint("a significant child has `restart = \"transient\"` or \"temporary\""),
    );
}

fn significant_under(
    child: &ChildSpec,
    supervisor: &SupervisorSpec,
    thing: &Thing<'_>,
    faults: &mut Vec<Fault>,
) {
    if !child.significant || supervisor.auto_shutdown != AutoShutdown::Never {
        return;
    }
    let above = SpecPath::of(&["supervisor", &supervisor.name]).key("auto_shutdown");
    faults.push(
        Fault::error(
            Code::SignificantNever,
            thing.path().key("significant"),
            format!(
                "{} is significant, but supervisor `{}` never shuts down for it",
                thing.title(),
                supervisor.name
            ),
        )
        .label("has no effect")
        .related(above, "`auto_shutdown` is \"never\" here")
        .hint(format!(
            "a supervisor that ends with it has `auto_shutdown = \"any_significant\"` in `[supervisor.{}]`",
            supervisor.name
        )),
    );
}

fn significant_pool(
    child: &ChildSpec,
    template: &ChildSpec,
    thing: &Thing<'_>,
    faults: &mut Vec<Fault>,
) {
    if child.significant || template.significant {
        faults.push(
            Fault::error(
                Code::RefusedKey,
                thing.path().key("significant"),
                format!("`significant` cannot be in {}", thing.title()),
            )
            .label("the members of a pool come and go, so none of them can stand for the pool"),
        );
    }
}

fn start(child: &ChildSpec, thing: &Thing<'_>, faults: &mut Vec<Fault>) {
    let at = thing.path().key("start");
    let can_complete = matches!(
        child.kind,
        ChildKind::Process(_) | ChildKind::Actor(_) | ChildKind::Local
    ) && !matches!(
        thing.child.map(|child| &child.kind),
        Some(ChildKind::Pool(_))
    );
    match child.start {
        StartCondition::Spawned => {}
        StartCondition::Ready => {
            // A closure says by itself when it has started.
            let has_word = child.kind == ChildKind::Local;
            if !has_word && child.kind.exec().is_none_or(|exec| exec.ready.is_none()) {
                faults.push(
                    Fault::error(
                        Code::ReadyWithoutProbe,
                        at,
                        format!(
                            "{} starts when it is ready, and has no probe",
                            thing.title()
                        ),
                    )
                    .label("nothing says when that is")
                    .hint("give it `ready`, such as `ready = { tcp = \"127.0.0.1:8080\" }`")
                    .rests_on(thing.path().key("ready")),
                );
            }
        }
        StartCondition::Completed if !can_complete => faults.push(
            Fault::error(
                Code::InvalidValue,
                at,
                format!("{} cannot start by completing", thing.title()),
            )
            .label("expected \"spawned\""),
        ),
        StartCondition::Completed => {
            if child.restart == RestartType::Permanent {
                faults.push(
                    Fault::error(
                        Code::CompletedPermanent,
                        at,
                        format!("{} starts by completing, and is permanent", thing.title()),
                    )
                    .label("it has started when it has ended …")
                    .related(
                        thing.path().key("restart"),
                        "… and is restarted whenever it ends: `restart` is \"permanent\"",
                    )
                    .hint("a child that runs once has `restart = \"temporary\"` or \"transient\""),
                );
            }
        }
    }
}
