//! Tasks found by path, started from bytes and from files, and failing.

#![expect(
    unsafe_code,
    reason = "in other crates the attribute may name the section of the list; here it is not another's"
)]

use std::fmt;

use serde::{Deserialize, Serialize};

use super::argument_fault::ArgumentFault;
use super::entry::RunningTask;
use super::registry::{Registry, TaskLookupError, registry};
use super::{Begin, Function, TaskFailure};
use crate as treewright;
use crate::error::{Error, ErrorKind};
use crate::id::ContextId;
use crate::wire::{Codec, CodecError, Encoded, HEADER_LENGTH, Kind};

const CONTEXT: ContextId = ContextId::new(5);

#[treewright::task(crate = treewright)]
async fn add(a: u32, b: u32) -> u32 {
    a + b
}

fn body(frame: &Encoded) -> Vec<u8> {
    frame.slices().concat()[HEADER_LENGTH..].to_vec()
}

fn encoded(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    Codec::Cbor.encode(value, &mut bytes).unwrap();
    bytes
}

fn start(path: &str, args: &[u8]) -> Result<RunningTask, CodecError> {
    let Begin::Task { start, .. } = registry().unwrap().find(path, 0).unwrap().begin() else {
        panic!("{path} is a task");
    };
    start(Codec::Cbor, CONTEXT, args)
}

fn started(path: &str, args: &[u8]) -> Result<Encoded, TaskFailure> {
    futures_lite::future::block_on(start(path, args).unwrap())
}

#[test]
fn task_started_from_bytes_answers_in_a_frame_of_its_context() {
    let frame = started(add::PATH, &encoded(&add(1, 2))).unwrap();
    assert_eq!((frame.kind(), frame.context()), (Kind::Result, CONTEXT));
    assert_eq!(Codec::Cbor.decode::<u32>(&body(&frame)).unwrap(), 3);
}

#[test]
fn arguments_that_are_not_the_tasks_are_refused_before_it_runs() {
    for wrong in [
        encoded(&(1,)),
        encoded(&(1, "two")),
        encoded(&(1, 2, 3)),
        vec![],
    ] {
        assert!(start(add::PATH, &wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn value_that_the_codec_cannot_say_is_a_failure_that_names_the_task() {
    #[treewright::task(crate = treewright)]
    async fn huge() -> u128 {
        u128::MAX
    }
    let failure = started(huge::PATH, &encoded(&huge())).unwrap_err();
    let text = format!("{:?}", failure.error);
    assert!(text.starts_with("cannot return the value of task `treewright::tasks::tests::huge`\n"));
}

#[test]
fn task_that_is_not_there_is_not_found_and_the_nearest_is_suggested() {
    let registry = registry().unwrap();
    let hint = |path: &str| {
        let error = Error::from(registry.find(path, add::SIGNATURE).unwrap_err());
        assert_eq!(
            error.to_string(),
            format!("this program has no task `{path}`")
        );
        error.hint().unwrap().to_owned()
    };
    let meant = "did you mean `treewright::tasks::tests::add`?";
    assert_eq!(hint("treewright::tasks::test::ad"), meant);
    assert_eq!(hint("add"), meant);
    assert!(hint("nothing::like::it").contains("use that_crate as _;"));
}

#[test]
fn task_of_another_signature_is_refused() {
    let registry = registry().unwrap();
    assert!(registry.find(add::PATH, add::SIGNATURE).is_ok());
    let error = registry.find(add::PATH, add::SIGNATURE ^ 4).unwrap_err();
    assert!(matches!(error, TaskLookupError::OtherSignature { .. }));
    assert!(Error::from(error).hint().is_some());
}

#[test]
fn signature_that_the_caller_does_not_know_fits_each_task() {
    let registry = registry().unwrap();
    assert_eq!(registry.find(add::PATH, 0).unwrap().path(), add::PATH);
    let unknown = registry.find("nothing", 0).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "this program has no function `nothing`"
    );
}

#[test]
fn task_that_the_caller_takes_for_a_context_is_refused_with_both_words() {
    let as_context = add::SIGNATURE & !0b11 | 2;
    let refused = registry().unwrap().find(add::PATH, as_context).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "`{}` is a task here, and a context in the program that calls it",
            add::PATH
        )
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("only {left} left")]
struct SoldOut {
    left: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot reach the shop")]
struct Unreachable(#[source] fmt::Error);

fn failure_of(path: &str) -> TaskFailure {
    started(path, &encoded(&())).unwrap_err()
}

#[test]
fn error_that_can_be_serialised_travels_as_the_value_it_was() {
    #[treewright::task(crate = treewright)]
    async fn sell() -> Result<(), SoldOut> {
        Err(SoldOut { left: 2 })
    }
    let failure = failure_of(sell::PATH);
    assert_eq!(failure.error.to_string(), "only 2 left");
    let payload = failure.payload.unwrap();
    assert_eq!(payload.type_name, std::any::type_name::<SoldOut>());
    let value: SoldOut = Codec::Cbor.decode(&payload.bytes).unwrap();
    assert_eq!(value, SoldOut { left: 2 });
}

#[test]
fn other_error_keeps_its_causes_and_has_no_payload() {
    #[treewright::task(crate = treewright)]
    async fn call_shop() -> Result<(), Unreachable> {
        Err(Unreachable(fmt::Error))
    }
    let failure = failure_of(call_shop::PATH);
    assert!(failure.payload.is_none());
    assert!(failure.error.downcast_ref::<fmt::Error>().is_some());
}

#[test]
fn error_of_ours_comes_out_as_it_is() {
    #[treewright::task(crate = treewright)]
    async fn wait() -> crate::Result<()> {
        Err(Error::new(ErrorKind::TimedOut, "too late"))
    }
    let failure = failure_of(wait::PATH);
    assert!(failure.error.is_timeout() && failure.payload.is_none());
}

#[test]
fn boxed_errors_and_texts_are_errors_of_tasks() {
    #[treewright::task(crate = treewright)]
    async fn local() -> Result<(), Box<dyn std::error::Error>> {
        Err("local".into())
    }
    #[treewright::task(crate = treewright)]
    async fn sent() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("sent".into())
    }
    #[treewright::task(crate = treewright)]
    async fn text() -> Result<(), String> {
        Err("text".to_owned())
    }
    #[treewright::task(crate = treewright)]
    async fn literal() -> Result<(), &'static str> {
        Err("literal")
    }
    for (path, message) in [
        (local::PATH, "local"),
        (sent::PATH, "sent"),
        (text::PATH, "text"),
        (literal::PATH, "literal"),
    ] {
        assert_eq!(failure_of(path).error.to_string(), message);
    }
}

#[test]
fn result_under_another_name_is_a_value() {
    type Verdict = Result<u8, String>;
    #[treewright::task(crate = treewright)]
    async fn judge() -> Verdict {
        Err("guilty".to_owned())
    }
    let frame = started(judge::PATH, &encoded(&judge())).unwrap();
    let verdict: Verdict = Codec::Cbor.decode(&body(&frame)).unwrap();
    assert_eq!(verdict.unwrap_err(), "guilty");
}

fn from_file(path: &str, args: &str) -> Result<String, Vec<String>> {
    let entry = registry().unwrap().find(path, 0).unwrap();
    let Begin::Task {
        start_from_file, ..
    } = entry.begin()
    else {
        panic!("{path} is a task");
    };
    let mut file: toml::Table = args.parse().unwrap();
    let args = file.remove("args");
    let checked = entry.check(args.clone());
    let task = start_from_file(Codec::Cbor, CONTEXT, args);
    assert_eq!(
        checked.is_ok(),
        task.is_ok(),
        "the check says what the start does"
    );
    let task = task.map_err(|faults| {
        let advised = |fault: &ArgumentFault| match fault.hint() {
            Some(hint) => format!("{fault}\nhint: {hint}"),
            None => fault.to_string(),
        };
        faults.iter().map(advised).collect::<Vec<_>>()
    })?;
    let frame = futures_lite::future::block_on(task).unwrap();
    Ok(Codec::Cbor.decode(&body(&frame)).unwrap())
}

#[treewright::task(crate = treewright)]
async fn resize(width: u8, height: u32, unit: Option<String>) -> String {
    format!("{width}x{height}{}", unit.unwrap_or_default())
}

#[test]
fn arguments_of_a_file_go_by_name_or_by_position() {
    for (args, expected) in [
        ("args = { height = 2, width = 1, unit = \"px\" }", "1x2px"),
        ("args = { height = 2, width = 1 }", "1x2"),
        ("args = [1, 2, \"px\"]", "1x2px"),
        ("args = [1, 2]", "1x2"),
    ] {
        assert_eq!(from_file(resize::PATH, args).unwrap(), expected, "{args}");
    }
}

#[test]
fn wrong_arguments_of_a_file_are_refused_with_advice() {
    let task = resize::PATH;
    for (args, expected) in [
        (
            "args = { width = 1, heigth = 2, colour = 3 }",
            vec![
                format!(
                    "task `{task}` has no argument `colour`\nhint: its arguments are `width`, `height` and `unit`"
                ),
                format!("task `{task}` has no argument `heigth`\nhint: did you mean `height`?"),
            ],
        ),
        (
            "args = { width = -1, colour = 3 }",
            vec![
                format!(
                    "task `{task}` has no argument `colour`\nhint: its arguments are `width`, `height` and `unit`"
                ),
                format!(
                    "argument `width` of task `{task}` is not valid: invalid value: integer `-1`, expected u8"
                ),
                format!("argument `height` of task `{task}` is missing"),
            ],
        ),
        (
            "args = [\"one\", 2, 3]",
            vec![
                format!(
                    "argument `width` of task `{task}` is not valid: invalid type: string \"one\", expected u8"
                ),
                format!(
                    "argument `unit` of task `{task}` is not valid: invalid type: integer `3`, expected a string"
                ),
            ],
        ),
        (
            "args = { width = 1 }",
            vec![format!("argument `height` of task `{task}` is missing")],
        ),
        (
            "args = [1]",
            vec![format!("argument `height` of task `{task}` is missing")],
        ),
        (
            "",
            vec![
                format!("argument `width` of task `{task}` is missing"),
                format!("argument `height` of task `{task}` is missing"),
            ],
        ),
        (
            "args = [1, 2, \"px\", 4]",
            vec![format!(
                "task `{task}` takes 3 arguments, not 4\nhint: its arguments are `width`, `height` and `unit`"
            )],
        ),
        (
            "args = [1, \"two\"]",
            vec![format!(
                "argument `height` of task `{task}` is not valid: invalid type: string \"two\", expected u32"
            )],
        ),
        (
            "args = { width = 256, height = 1 }",
            vec![format!(
                "argument `width` of task `{task}` is not valid: invalid value: integer `256`, expected u8"
            )],
        ),
        (
            "args = 7",
            vec![format!(
                "arguments of task `{task}` are of type integer, and neither an array nor a table\n\
                hint: write `args = [7]` to give them by position, `args = {{ n = 7 }}` by name"
            )],
        ),
    ] {
        assert_eq!(from_file(task, args).unwrap_err(), expected, "{args}");
    }
}

#[test]
fn task_without_arguments_takes_none_of_a_file() {
    #[treewright::task(crate = treewright)]
    async fn greet() -> String {
        "hello".to_owned()
    }
    for args in ["", "args = []", "args = {}"] {
        assert_eq!(from_file(greet::PATH, args).unwrap(), "hello");
    }
    let faults = from_file(greet::PATH, "args = [1]").unwrap_err();
    assert_eq!(
        faults,
        [format!("task `{}` takes no arguments, not 1", greet::PATH)]
    );
    let faults = from_file(greet::PATH, "args = { n = 1 }").unwrap_err();
    assert!(faults[0].ends_with("\nhint: it takes no arguments"));
}

#[test]
fn two_tasks_of_one_path_are_refused_with_both_places() {
    static TWICE: [super::TaskEntry; 3] = [
        super::TaskEntry::of::<add>(false, "src/one.rs", 3),
        super::TaskEntry::of::<resize>(false, "src/one.rs", 9),
        super::TaskEntry::of::<add>(true, "src/two.rs", 4),
    ];
    let error = Error::from(Registry::of(&TWICE).unwrap_err());
    assert_eq!(
        format!("{error:?}"),
        "two tasks are known by `treewright::tasks::tests::add`, at src/one.rs:3 and at src/two.rs:4\n\
         hint: give one of them a name of its own: `#[task(name = \"…\")]`"
    );
}
