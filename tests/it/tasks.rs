//! Functions marked `#[task]`: called here, named by types, and listed.

use serde::{Deserialize, Serialize};
use treewright::{Call, Function, FunctionKind, Task, registered_tasks, run, task};

mod work {
    use super::*;

    /// Tells whether `n` is prime.
    #[task]
    pub(super) async fn is_prime(n: u64) -> bool {
        n > 1 && (2..n).all(|divisor| !n.is_multiple_of(divisor))
    }

    #[task(public)]
    pub(super) async fn nothing() {}

    #[task(name = "test/factorial")]
    pub(super) async fn factorial(n: u64) -> u64 {
        match n {
            0 => 1,
            _ => n * factorial(n - 1).await,
        }
    }

    #[task]
    #[cfg(any())]
    pub(super) async fn left_out(unknown: NoSuchType) {}

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub(super) struct Order {
        pub(super) item: String,
        pub(super) count: u32,
    }

    /// Takes every argument it can take.
    #[task]
    #[expect(clippy::too_many_arguments, reason = "to see that there can be twelve")]
    pub(super) async fn twelve(
        mut a: u8,
        b: i8,
        c: u16,
        d: i16,
        r#type: u32,
        f: Option<i32>,
        g: f64,
        h: char,
        i: String,
        j: Vec<Order>,
        k: (u8, bool),
        _unused: (),
    ) -> String {
        a += 1;
        format!("{a} {b} {c} {d} {type} {f:?} {g} {h} {i} {j:?} {k:?}", type = r#type)
    }
}
use work::{factorial, is_prime, nothing};

#[test]
fn call_awaited_runs_the_function_here() {
    run(async || {
        assert!(is_prime(7).await);
        assert!(!is_prime(8).await);
        nothing().await;
        Ok(())
    })
    .unwrap();
}

#[test]
fn task_that_calls_itself_comes_to_its_end() {
    let value = run(async || Ok(factorial(10).await)).unwrap();
    assert_eq!(value, 3_628_800);
}

#[test]
fn function_is_mapped_over_and_its_type_is_inferred() {
    fn path<T: Task>(_: &[Call<T>]) -> &'static str {
        T::PATH
    }
    let calls: Vec<_> = [2, 3].into_iter().map(is_prime).collect();
    assert_eq!(path(&calls), "it::tasks::work::is_prime");
    assert_eq!(calls[1].args(), &(3,));
}

#[test]
fn task_is_known_by_its_path_or_by_the_name_it_was_given() {
    fn path<T: Task>() -> &'static str {
        T::PATH
    }
    assert_eq!(path::<is_prime>(), "it::tasks::work::is_prime");
    assert_eq!(path::<factorial>(), "test/factorial");
}

#[test]
fn parameters_are_named_as_they_are_written() {
    let names = <work::twelve as Function>::PARAMETERS;
    assert_eq!(names.len(), 12);
    assert_eq!([names[0], names[4], names[11]], ["a", "type", "_unused"]);
}

#[test]
fn signature_differs_by_types_and_names_and_not_by_layout() {
    mod one {
        #[treewright::task(name = "test/one")]
        pub(super) async fn f(a: u32, b: Vec<u8>) -> Option<u8> {
            b.get(a as usize).copied()
        }
    }
    mod same {
        #[treewright::task(name = "test/same")]
        #[rustfmt::skip]
        pub(super) async fn f(mut a  :  u32, b: Vec < u8 >,) -> Option< u8 >{ a += 0; b.get(a as usize).copied() }
    }
    mod other_names {
        #[treewright::task(name = "test/other_names")]
        pub(super) async fn f(b: u32, a: Vec<u8>) -> Option<u8> {
            a.get(b as usize).copied()
        }
    }
    mod other_type {
        #[treewright::task(name = "test/other_type")]
        pub(super) async fn f(a: u32, b: Vec<u8>) -> Option<u16> {
            b.get(a as usize).map(|byte| (*byte).into())
        }
    }
    assert_eq!(one::f::SIGNATURE, same::f::SIGNATURE);
    assert_ne!(one::f::SIGNATURE, other_names::f::SIGNATURE);
    assert_ne!(one::f::SIGNATURE, other_type::f::SIGNATURE);
    assert_eq!(
        one::f::SIGNATURE & 0b11,
        1,
        "the lowest bits say that it is a task"
    );
}

#[test]
fn call_is_cloned_compared_and_shown_by_its_arguments() {
    let call = is_prime(7);
    let copy = call;
    assert_eq!(call, copy);
    assert_ne!(call, is_prime(8));
    assert_eq!(
        format!("{call:?}"),
        r#"Call { function: "it::tasks::work::is_prime", args: (7,) }"#
    );
    assert_eq!(serde_json::to_string(&call).unwrap(), "[7]");
}

/// The linker gathers them; if it dropped some, nothing else would notice before a call.
#[test]
fn every_task_of_the_program_is_registered_with_its_place() {
    let tasks = registered_tasks();
    let of_this_file: Vec<_> = tasks
        .iter()
        .filter(|task| task.location().starts_with("tests/it/tasks.rs:"))
        .map(|task| task.path())
        .collect();
    assert_eq!(
        of_this_file,
        [
            "it::tasks::local",
            "it::tasks::work::is_prime",
            "it::tasks::work::nothing",
            "it::tasks::work::twelve",
            "test/factorial",
            "test/one",
            "test/other_names",
            "test/other_type",
            "test/same",
        ]
    );
    let public: Vec<_> = tasks.iter().filter(|task| task.is_public()).collect();
    let found = public.iter().find(|task| task.path() == nothing::PATH);
    assert_eq!(found.unwrap().kind(), FunctionKind::Task);
    assert!(!public.iter().any(|task| task.path() == is_prime::PATH));
}

#[test]
fn task_inside_a_function_is_registered_too() {
    #[task]
    async fn local(n: u8) -> u8 {
        n
    }
    assert_eq!(local::PATH, "it::tasks::local");
    assert_eq!(run(async || Ok(local(3).await)).unwrap(), 3);
}
