//! The words that are values of the format.

use super::shape::{Shape, Word};

const fn word(name: &'static str, doc: &'static str) -> Word {
    Word {
        name,
        aliases: &[],
        doc,
    }
}

const fn alias(name: &'static str, aliases: &'static [&'static str], doc: &'static str) -> Word {
    Word { name, aliases, doc }
}

pub(super) const STRATEGY: Shape = Shape::Words(&[
    word("one_for_one", "only the child that failed is restarted"),
    word("one_for_all", "all children are restarted"),
    word(
        "rest_for_one",
        "the child that failed and those after it are restarted",
    ),
]);

pub(super) const AUTO_SHUTDOWN: Shape = Shape::Words(&[
    word("never", "the end of children does not end the supervisor"),
    word(
        "any_significant",
        "the first significant child that ends by itself ends it",
    ),
    word(
        "all_significant",
        "the last significant child that ends does",
    ),
]);

pub(super) const STOP: Shape = Shape::Words(&[
    word(
        "reverse",
        "children are stopped one after the other, the last started first",
    ),
    word("parallel", "all children are stopped at the same time"),
]);

pub(super) const ON_START_FAILURE: Shape = Shape::Words(&[
    word(
        "rollback",
        "the children started so far are stopped and the supervisor's own start fails",
    ),
    word(
        "retry",
        "it is tried again, by the child's backoff and the supervisor's intensity",
    ),
]);

pub(super) const RESTART: Shape = Shape::Words(&[
    alias("permanent", &["always"], "always"),
    alias("transient", &["on-failure"], "when it ended in failure"),
    alias("temporary", &["never"], "never"),
]);

pub(super) const START: Shape = Shape::Words(&[
    word("spawned", "its process exists"),
    word("ready", "its `ready` probe said so"),
    word("completed", "it has ended in success"),
]);

pub(super) const CONDITION: Shape = Shape::Words(&[
    word("started", "the other child counts as started"),
    word("ready", "the other child is ready"),
    word("completed", "the other child has ended in success"),
]);

pub(super) const SCOPE: Shape = Shape::Words(&[
    word("process", "the started process only"),
    word("group", "its process group"),
    word(
        "tree",
        "its process group, all descendants, and adopted orphans that carry its mark",
    ),
    word("cgroup", "its control group, where there is one"),
]);

const SHUTDOWN_WORDS: Shape = Shape::Words(&[
    word("brutal_kill", "kill at once, without asking"),
    word("infinity", "ask, and wait for ever"),
]);

pub(super) const SHUTDOWN_TIMEOUT: Shape = Shape::Either(&[Shape::Duration, SHUTDOWN_WORDS]);

pub(super) const SHUTDOWN: Shape = Shape::Either(&[
    Shape::Duration,
    SHUTDOWN_WORDS,
    Shape::Table(super::Section::Shutdown),
]);

pub(super) const LOG: Shape = Shape::Either(&[
    Shape::Words(&[
        word(
            "inherit",
            "to the output of the tree, each line with the child's name in front",
        ),
        word("null", "nowhere"),
    ]),
    Shape::Table(super::Section::Log),
]);

pub(super) const ON_FULL: Shape = Shape::Words(&[
    word("drop", "lines are dropped and a marker says how many"),
    word("block", "the child waits until there is room"),
]);

pub(super) const ENV_INHERIT: Shape = Shape::Either(&[Shape::Boolean, Shape::List(&Shape::Text)]);

pub(super) const ENV: Shape = Shape::Map(&Shape::Either(&[
    Shape::Text,
    Shape::Table(super::Section::Secret),
]));

pub(super) const RLIMIT: Shape = Shape::Either(&[
    Shape::Integer {
        min: 0,
        max: i64::MAX,
    },
    Shape::Size,
    Shape::Words(&[word("unlimited", "no limit")]),
]);

pub(super) const ARGS: Shape = Shape::Either(&[Shape::List(&Shape::Any), Shape::Map(&Shape::Any)]);
