//! Functions marked `#[context]` and `#[stream]`: what they are to types, to the registry and
//! to those who open them.

use serde::{Deserialize, Serialize};
use treewright::{
    Call, Context, ContextFunction, Function, FunctionKind, Portal, Result, StartedContext,
    StreamFunction, StreamSender, open_nursery, registered_tasks, run,
};

use crate::guard::guarded;

mod work {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub(super) struct Ping;
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    pub(super) struct Pong;

    /// Answers each ping.
    #[treewright::context]
    pub(super) async fn simple_rpc(ctx: Context<i64, Ping, Pong>, data: i64) -> Result<()> {
        let ctx: StartedContext<Ping, Pong> = ctx.started(data + 1).await?;
        let mut stream = ctx.open_stream().await?;
        while let Some(Ping) = stream.try_next().await? {
            stream.send(Pong).await?;
        }
        Ok(())
    }

    /// Has arguments of all the names that the code around might have.
    #[treewright::context(name = "test/odd_names", public)]
    pub(super) async fn odd_names(
        treewright_context: treewright::Context<String>,
        channel: u8,
        args: u8,
        mut ctx: u8,
        r#type: u8,
    ) -> Result<u8> {
        let sum = channel + args + ctx + r#type;
        ctx = sum;
        treewright_context.started(format!("{ctx}")).await?;
        Ok(ctx)
    }

    #[treewright::stream]
    pub(super) async fn count(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
        for n in 0..upto {
            out.send(n).await?;
        }
        Ok(())
    }

    #[treewright::context]
    #[cfg(any())]
    pub(super) async fn left_out(ctx: Context<NoSuchType>) {}

    #[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
    #[error("only {left} left")]
    pub(super) struct SoldOut {
        pub(super) left: u32,
    }

    /// Says nothing first.
    #[treewright::context]
    pub(super) async fn sell(_: Context) -> Result<(), SoldOut> {
        Err(SoldOut { left: 2 })
    }

    #[treewright::stream]
    pub(super) async fn sell_some(
        mut out: StreamSender<u32>,
        stock: u32,
    ) -> Result<(), Box<dyn std::error::Error>> {
        for left in (0..stock).rev() {
            out.send(left).await?;
        }
        Err(Box::new(SoldOut { left: 0 }))
    }
}
use work::{Ping, Pong, SoldOut, count, odd_names, sell, sell_some, simple_rpc};

/// Runs `body` with an actor of this program.
fn with_actor(body: impl AsyncFnOnce(&Portal) -> Result<()>) {
    run(async || {
        open_nursery(async |n| {
            let portal = n.start_actor("other").await?;
            body(&portal).await?;
            portal.cancel_actor().await?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn context_is_opened_by_a_call_of_its_other_arguments() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, first) = portal.open_context(simple_rpc(10)).await?;
            assert_eq!(first, 11);
            let mut stream = ctx.open_stream().await?;
            for _ in 0..9 {
                stream.send(Ping).await?;
                assert_eq!(stream.try_next().await?, Some(Pong));
            }
            stream.close().await?;
            ctx.result().await
        })
    });
}

#[test]
fn names_of_arguments_are_free() {
    guarded(|| {
        with_actor(async |portal| {
            let (ctx, first) = portal.open_context(odd_names(1, 2, 3, 4)).await?;
            assert_eq!((first.as_str(), ctx.result().await?), ("10", 10));
            Ok(())
        })
    });
}

#[test]
fn stream_is_opened_by_a_call_of_its_other_arguments() {
    guarded(|| {
        with_actor(async |portal| {
            let mut numbers = portal.open_stream_from(count(4)).await?;
            let mut all = Vec::new();
            while let Some(number) = numbers.try_next().await? {
                all.push(number);
            }
            assert_eq!(all, [0, 1, 2, 3]);
            Ok(())
        })
    });
}

#[test]
fn error_of_a_context_comes_back_as_the_value_it_was() {
    guarded(|| {
        with_actor(async |portal| {
            let error = portal.open_context(sell()).await.unwrap_err();
            assert_eq!(error.payload(), Some(SoldOut { left: 2 }));
            Ok(())
        })
    });
}

#[test]
fn error_of_a_stream_comes_after_its_last_item() {
    guarded(|| {
        with_actor(async |portal| {
            let mut stock = portal.open_stream_from(sell_some(2)).await?;
            assert_eq!(stock.try_next().await?, Some(1));
            assert_eq!(stock.try_next().await?, Some(0));
            let error = stock.next().await.unwrap().unwrap_err();
            assert!(error.to_string().contains("only 0 left"), "{error:?}");
            assert!(stock.next().await.is_none());
            Ok(())
        })
    });
}

#[test]
fn function_as_a_type_has_its_path_its_names_and_its_messages() {
    fn described<F: Function>(_: Call<F>) -> (FunctionKind, &'static str, u64) {
        (F::KIND, F::PATH, F::SIGNATURE & 0b11)
    }
    let context = FunctionKind::Context;
    assert_eq!(
        described(simple_rpc(1)),
        (context, "it::functions::work::simple_rpc", 2)
    );
    assert_eq!(
        described(odd_names(1, 2, 3, 4)),
        (context, "test/odd_names", 2)
    );
    assert_eq!(
        described(count(1)),
        (FunctionKind::Stream, "it::functions::work::count", 3)
    );
    assert_eq!(odd_names::PARAMETERS, ["channel", "args", "ctx", "type"]);
    assert_eq!(simple_rpc(7).args(), &(7,));

    fn messages<C>(_: C)
    where
        C: ContextFunction<First = i64, Receives = Ping, Sends = Pong, Value = ()>,
    {
    }
    let _types_agree = messages::<simple_rpc>;
    fn items<S: StreamFunction<Item = u64>>(_: S) {}
    let _types_agree = items::<count>;
}

#[test]
fn every_context_and_stream_of_the_program_is_registered_with_its_kind() {
    let tasks = registered_tasks();
    let of_this_file: Vec<_> = tasks
        .iter()
        .filter(|task| task.location().starts_with("tests/it/functions.rs:"))
        .map(|task| (task.path(), task.kind(), task.is_public()))
        .collect();
    let (context, stream) = (FunctionKind::Context, FunctionKind::Stream);
    assert_eq!(
        of_this_file,
        [
            ("it::functions::work::count", stream, false),
            ("it::functions::work::sell", context, false),
            ("it::functions::work::sell_some", stream, false),
            ("it::functions::work::simple_rpc", context, false),
            ("test/odd_names", context, true),
        ]
    );
}
