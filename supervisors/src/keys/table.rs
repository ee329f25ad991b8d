//! The table of keys.

use super::shape::Section::{
    Actor, Backoff, Defaults, File, Limits, Live, Log, Pool, Process, Ready, Secret, Shutdown,
    Success, Supervisor, Tree,
};
use super::shape::{Key, Refused, Section, Shape};
use super::words;

const CHILD: &[Section] = &[Supervisor, Process, Actor, Pool];
const RUNNING: &[Section] = &[Process, Actor, Pool];
const COMMAND: &[Section] = &[Process, Pool];
const FUNCTION: &[Section] = &[Actor, Pool];
const RESTARTER: &[Section] = &[Supervisor, Pool];
const PROBES: &[Section] = &[Ready, Live];

const COUNT: Shape = Shape::Integer {
    min: 0,
    max: u32::MAX as i64,
};
const ONE_OR_MORE: Shape = Shape::Integer {
    min: 1,
    max: u32::MAX as i64,
};
const POSITIVE: Shape = Shape::Integer {
    min: 1,
    max: i64::MAX,
};

/// A row whose key may stand in `[defaults.KIND]`, and in a file that is included.
const fn key(
    name: &'static str,
    on: &'static [Section],
    shape: Shape,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        on,
        shape,
        default,
        doc,
        shared: true,
    }
}

/// A row whose key may not stand in `[defaults.KIND]`, or not in a file that is included.
const fn own(
    name: &'static str,
    on: &'static [Section],
    shape: Shape,
    default: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        on,
        shape,
        default,
        doc,
        shared: false,
    }
}

/// Every key of the format. A name that takes different things in different sections has several rows.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("include", &[File], Shape::List(&Shape::Path), "[]", "files whose tables are added; `*`, `?` and `[…]` match in names"),
    own("tree", &[File], Shape::Table(Tree), "", "the tree as a whole"),
    own("defaults", &[File], Shape::Table(Defaults), "", "what children of a kind have in common"),
    key("supervisor", &[File], Shape::Map(&Shape::Table(Supervisor)), "", "supervisors by name"),
    key("process", &[File], Shape::Map(&Shape::Table(Process)), "", "OS commands by name"),
    key("actor", &[File], Shape::Map(&Shape::Table(Actor)), "", "functions of programs built with treewright, by name"),
    key("pool", &[File], Shape::Map(&Shape::Table(Pool)), "", "pools of children alike, by name"),

    own("name", &[Tree], Shape::Text, "the file's stem", "name of the tree: control socket, log prefix"),
    own("exit_code_from", &[Tree], Shape::Name, "", "child whose exit code is the tree's when the tree ends by itself"),
    own("shutdown", &[Tree], Shape::Duration, "no limit but the children's own", "time allowed for stopping the whole tree"),

    own("supervisor", &[Defaults], Shape::Table(Supervisor), "", "what supervisors have in common"),
    own("process", &[Defaults], Shape::Table(Process), "", "what processes have in common"),
    own("actor", &[Defaults], Shape::Table(Actor), "", "what actors have in common"),
    own("pool", &[Defaults], Shape::Table(Pool), "", "what pools have in common"),

    key("strategy", &[Supervisor], words::STRATEGY, "\"one_for_one\"", "which children are restarted when one fails"),
    own("children", &[Supervisor], Shape::List(&Shape::Name), "", "names of the children in start order; they are stopped in reverse"),
    key("auto_shutdown", &[Supervisor], words::AUTO_SHUTDOWN, "\"never\"", "whether the end of significant children ends the supervisor"),
    key("intensity", RESTARTER, COUNT, "5", "restarts allowed in `period`; one more and the supervisor gives up"),
    key("period", RESTARTER, Shape::Duration, "\"1m\"", "the window in which restarts are counted"),
    key("stop", &[Supervisor], words::STOP, "\"reverse\"", "in which order children are stopped"),
    key("on_start_failure", &[Supervisor], words::ON_START_FAILURE, "\"rollback\"", "what the failure of a child's first start means"),
    key("isolated", &[Supervisor], Shape::Boolean, "false", "whether it runs in a process of its own"),

    own("run", COMMAND, Shape::Command, "", "the command: an array as it is, a string split into words without a shell"),
    key("shell", COMMAND, Shape::Boolean, "false", "whether `run` is a line for `/bin/sh -c`"),
    own("task", FUNCTION, Shape::Text, "", "the registered name of the function, `crate::module::function`"),
    own("args", FUNCTION, words::ARGS, "", "arguments of the function: an array by position, a table by name"),
    key("exe", FUNCTION, Shape::Path, "the running program", "the program the function is in"),
    key("size", &[Pool], COUNT, "1", "members that are started"),
    key("max", &[Pool], ONE_OR_MORE, "`size`", "members there may be"),

    key("restart", CHILD, words::RESTART, "\"permanent\"", "when it is started again after it ended"),
    key("significant", &[Supervisor, Process, Actor], Shape::Boolean, "false", "whether its end can end its supervisor, see `auto_shutdown`"),
    key("start", &[Process, Actor], words::START, "\"ready\" with a `ready` probe, else \"spawned\"", "what must have happened for it to count as started"),
    key("start_timeout", CHILD, Shape::Duration, "none", "time from the spawn in which it must count as started"),
    own("depends_on", CHILD, Shape::Map(&words::CONDITION), "{}", "what must hold of other children before each of its starts"),
    key("shutdown", &[Process, Actor, Pool], words::SHUTDOWN, "\"10s\"", "how it is stopped: asked, given this long, then killed"),
    key("shutdown", &[Supervisor], words::SHUTDOWN, "\"infinity\"", "how it is stopped: asked, given this long, then killed"),
    key("backoff", CHILD, Shape::Table(Backoff), "see `backoff`", "how long it is waited before it is started again"),
    key("success", CHILD, Shape::Table(Success), "see `success`", "which ends count as success"),

    key("cwd", RUNNING, Shape::Path, "the tree's own", "working directory"),
    key("env", RUNNING, words::ENV, "{}", "variables, which win over files and over what is inherited; a value `{ file = \"…\" }` is a secret"),
    key("env_files", RUNNING, Shape::List(&Shape::Path), "[]", "files of variables, later ones winning; with `?` at the end it may be absent"),
    key("env_inherit", RUNNING, words::ENV_INHERIT, "true", "what is inherited of the tree's own environment: all, nothing, or these names"),
    key("limits", RUNNING, Shape::Table(Limits), "{}", "limits on what it may use"),
    key("user", COMMAND, Shape::Text, "the tree's own", "user it runs as, by name or number"),
    key("group", COMMAND, Shape::Text, "the user's own", "group it runs as, by name or number"),
    key("umask", COMMAND, Shape::Octal, "the tree's own", "file mode creation mask"),
    key("nice", COMMAND, Shape::Integer { min: -20, max: 19 }, "the tree's own", "niceness, -20 (favoured) to 19"),
    key("ready", RUNNING, Shape::Table(Ready), "", "when it counts as ready: one probe"),
    key("live", RUNNING, Shape::Table(Live), "", "how it is found out that it is no use though it runs; it is then restarted"),
    key("log", RUNNING, words::LOG, "\"inherit\"", "where its output goes"),

    key("tcp", PROBES, Shape::Address, "", "probe: a connection is accepted"),
    key("http", PROBES, Shape::Url, "", "probe: a GET is answered with a status from 200 to 399"),
    key("exec", PROBES, Shape::Command, "", "probe: the command ends with 0"),
    key("file", PROBES, Shape::Path, "", "probe: the file exists"),
    key("log", &[Ready], Shape::Text, "", "probe: the child printed a line that contains this text"),
    key("notify", &[Ready], Shape::Exactly(true), "", "probe: the child sent READY=1 (`sd_notify(3)`)"),
    key("uptime", &[Ready], Shape::Duration, "", "probe: the child has run this long"),
    key("watchdog", &[Live], Shape::Duration, "", "instead of a probe: the child must send WATCHDOG=1 (`sd_notify(3)`) at least this often"),
    key("every", &[Ready], Shape::Duration, "\"1s\"", "time between two tries"),
    key("every", &[Live], Shape::Duration, "\"10s\"", "time between two tries"),
    key("timeout", &[Ready], Shape::Duration, "\"1m\"", "time allowed in all"),
    key("timeout", &[Live], Shape::Duration, "\"1s\"", "time allowed for one try"),
    key("failures", &[Live], ONE_OR_MORE, "3", "failures in a row after which the child is restarted"),

    key("signal", &[Shutdown], Shape::Signal, "\"TERM\"", "the signal that asks it to end"),
    key("timeout", &[Shutdown], words::SHUTDOWN_TIMEOUT, "\"10s\"; supervisor: \"infinity\"", "how long it may take before it is killed"),
    key("scope", &[Shutdown], words::SCOPE, "\"tree\"", "which processes belong to it when it is stopped"),

    key("initial", &[Backoff], Shape::Duration, "\"100ms\"", "delay before the first restart; \"0s\" is at once, always"),
    key("factor", &[Backoff], Shape::Number { min: 1.0, max: 1e6 }, "2.0", "growth of the delay from one restart to the next"),
    key("max", &[Backoff], Shape::Duration, "\"30s\"", "the longest delay"),
    key("jitter", &[Backoff], Shape::Number { min: 0.0, max: 1.0 }, "0.2", "the part of the delay that is random"),
    key("reset_after", &[Backoff], Shape::Duration, "\"1m\"", "uptime after which the next restart counts as the first"),

    key("codes", &[Success], Shape::List(&Shape::Integer { min: 0, max: 255 }), "[0]", "exit codes that count as success"),
    key("signals", &[Success], Shape::List(&Shape::Signal), "[]", "signals it may die by in success"),

    key("memory", &[Limits], Shape::Size, "none", "memory, by control group"),
    key("cpu", &[Limits], Shape::Number { min: 0.001, max: 65536.0 }, "none", "processors' worth of time (1.5 is one and a half), by control group"),
    key("pids", &[Limits], POSITIVE, "none", "processes and threads, by control group"),
    key("core", &[Limits], words::RLIMIT, "inherited", "size of a core file, bytes"),
    key("cputime", &[Limits], words::RLIMIT, "inherited", "processor time, seconds"),
    key("data", &[Limits], words::RLIMIT, "inherited", "size of the data segment, bytes"),
    key("fsize", &[Limits], words::RLIMIT, "inherited", "size of a file that is written, bytes"),
    key("memlock", &[Limits], words::RLIMIT, "inherited", "locked memory, bytes"),
    key("msgqueue", &[Limits], words::RLIMIT, "inherited", "bytes in POSIX message queues"),
    key("nofile", &[Limits], words::RLIMIT, "inherited", "open files"),
    key("nproc", &[Limits], words::RLIMIT, "inherited", "processes of the user"),
    key("rtprio", &[Limits], words::RLIMIT, "inherited", "ceiling of the real-time priority"),
    key("sigpending", &[Limits], words::RLIMIT, "inherited", "queued signals"),
    key("stack", &[Limits], words::RLIMIT, "inherited", "size of the main thread's stack, bytes"),

    key("file", &[Log], Shape::Path, "", "the file"),
    key("max_size", &[Log], Shape::Size, "\"50MB\"", "rotated before it would grow over this"),
    key("keep", &[Log], COUNT, "10", "rotated files that are kept beside the one that is written"),
    key("on_full", &[Log], words::ON_FULL, "\"drop\"", "what happens when the log is slower than the child"),

    own("file", &[Secret], Shape::Path, "", "file that holds the secret; its contents are never shown"),
];

/// Keys that are refused with a reason of their own.
pub const REFUSED: &[Refused] = &[
    Refused {
        name: "significant",
        on: Pool,
        reason: "the members of a pool come and go, so none of them can stand for the pool",
        hint: "put the pool under a supervisor and make a child beside it significant",
    },
    Refused {
        name: "start",
        on: Pool,
        reason: "a pool has started when its members have",
        hint: "give the members a `ready` probe",
    },
    Refused {
        name: "log",
        on: Live,
        reason: "a line that was printed once says nothing about now",
        hint: "ask with `tcp`, `http`, `exec` or `file`, or use `watchdog`",
    },
    Refused {
        name: "notify",
        on: Live,
        reason: "READY=1 is sent once and says nothing about now",
        hint: "use `watchdog = \"30s\"`, which wants WATCHDOG=1 again and again",
    },
    Refused {
        name: "uptime",
        on: Live,
        reason: "a child that runs has uptime whether it works or not",
        hint: "ask with `tcp`, `http`, `exec` or `file`, or use `watchdog`",
    },
    Refused {
        name: "watchdog",
        on: Ready,
        reason: "a watchdog is about a child that runs already",
        hint: "use `notify = true` here and `watchdog` in `live`",
    },
    Refused {
        name: "failures",
        on: Ready,
        reason: "`ready` is asked until it holds or its `timeout` is over",
        hint: "use `timeout`",
    },
];

/// Words that are kept for later and refused today, in every section.
pub const RESERVED: &[&str] = &[
    "every",
    "cron",
    "watch",
    "tty",
    "stdin",
    "stop_command",
    "hooks",
    "template",
    "values",
    "autostart",
    "sockets",
    "host",
];
