//! Attribute macros of [treewright](https://docs.rs/treewright), which re-exports them all.

mod attributes;
mod channel;
#[cfg(test)]
mod channel_tests;
mod entry;
mod function;
mod kind;
mod options;
mod output;
mod parameters;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;

use crate::kind::Kind;

/// Makes an `async fn` one that other processes can be told to run.
///
/// Below it there is a function of the same name and the same arguments that runs nothing
/// yet: it returns a [`Call`](https://docs.rs/treewright/latest/treewright/struct.Call.html),
/// which says "this function, with these arguments". What holds the call decides where it
/// runs: `call.await` runs it right here, a nursery in a new process, a portal in one that is
/// there already, a pool in one of its workers.
///
/// ```
/// /// Tells whether `n` is prime.
/// #[treewright::task]
/// pub async fn is_prime(n: u64) -> bool {
///     n > 1 && (2..n).all(|divisor| n % divisor != 0)
/// }
///
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     assert!(is_prime(7).await);
///     let elsewhere = treewright::open_nursery(async |n| {
///         n.run_in_actor(is_prime(8)).await?.result().await
///     });
///     assert!(!elsewhere.await?);
///     Ok(())
/// }
/// ```
///
/// # What may go in and out
///
/// Arguments and results go from one process to the other, so their types are owned and
/// implement serde's `Serialize` and `Deserialize`. There may be up to twelve arguments; put
/// more in a struct. The function has no generic parameters, since a process that was started
/// for it could not know what they stand for. It may call itself.
///
/// A large `Vec<u8>` goes faster as [`serde_bytes::ByteBuf`](https://docs.rs/serde_bytes),
/// which is written in one piece; a bare one is written number by number.
///
/// # Failing
///
/// A function whose return type ends in `Result` (`Result<T, E>`, `io::Result<T>`,
/// `treewright::Result<T>`) can fail; the caller gets the `T`, or an error with the text and
/// the causes of the `E`. `E` is what the operator `?` turns into a boxed error: any type that
/// implements `std::error::Error`, a `String`, `anyhow::Error`, `Box<dyn Error>`. If it
/// implements `Serialize` too, the caller can have it back as the value it was. By any other name, such as
/// an alias `Answer<T>`, a result is a value like others.
///
/// # Names
///
/// The function also stands for a type of the same name, by which generic code names it:
/// `T: Task` is met by `is_prime`. So no type or module beside it may have its name.
///
/// A tree in a file, and another process, know it by its path, `crate::module::function`. Two
/// of one path are refused when the program starts.
///
/// # Options
///
/// | option | what it does |
/// |---|---|
/// | `name = "text"` | is what the function is known by in place of its path, and stays when it moves |
/// | `public` | lets any actor of the tree call it, not only the one that started this process |
/// | `crate = path` | is where to find treewright if not at `::treewright` |
///
/// ```
/// #[treewright::task(name = "shop/resize", public)]
/// async fn resize(width: u32, height: u32) -> Result<u64, std::num::TryFromIntError> {
///     Ok(u64::from(width) * u64::from(height))
/// }
///
/// use treewright::Function;
/// assert_eq!(resize::PATH, "shop/resize");
/// assert_eq!(resize::PARAMETERS, ["width", "height"]);
/// ```
#[proc_macro_attribute]
pub fn task(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(Kind::Task, options, item)
}

/// Makes an `async fn` one that other processes can open a conversation with.
///
/// Its first argument is what it talks through, a
/// [`Context<First, Receives, Sends>`](https://docs.rs/treewright/latest/treewright/struct.Context.html):
/// `First` is the type of the value that it sends first, `Receives` and `Sends` are those of
/// the messages of the stream that may follow, as this function sees them. What is left out
/// is `()`. The other arguments are given by whoever opens the context.
///
/// ```
/// use treewright::{Context, Result, open_nursery};
///
/// /// Adds up what it is sent, and tells each sum.
/// #[treewright::context]
/// async fn add_up(ctx: Context<u64, u32, u64>, from: u64) -> Result<u64> {
///     let ctx = ctx.started(from).await?;
///     let mut stream = ctx.open_stream().await?;
///     let mut sum = from;
///     while let Some(number) = stream.try_next().await? {
///         sum += u64::from(number);
///         stream.send(sum).await?;
///     }
///     Ok(sum)
/// }
///
/// #[treewright::main]
/// async fn main() -> Result<()> {
///     open_nursery(async |n| {
///         let portal = n.start_actor("adder").await?;
///         let (ctx, first) = portal.open_context(add_up(10)).await?;
///         assert_eq!(first, 10);
///         let mut stream = ctx.open_stream().await?;
///         stream.send(5).await?;
///         assert_eq!(stream.try_next().await?, Some(15));
///         stream.close().await?;
///         assert_eq!(ctx.result().await?, 15);
///         portal.cancel_actor().await?;
///         Ok(())
///     })
///     .await
/// }
/// ```
///
/// Below it there is, as with [`macro@task`], a function of the same name that returns a call,
/// and a type of the same name, which implements
/// [`ContextFunction`](https://docs.rs/treewright/latest/treewright/trait.ContextFunction.html).
/// What is said there of arguments, results, failing and names holds here too, and for the
/// types in the `Context`. A context is opened with
/// [`Portal::open_context`](https://docs.rs/treewright/latest/treewright/struct.Portal.html#method.open_context)
/// or [`Portal::with_context`](https://docs.rs/treewright/latest/treewright/struct.Portal.html#method.with_context);
/// it cannot be awaited, since there is nobody to talk with.
///
/// # Options
///
/// Those of [`macro@task`].
#[proc_macro_attribute]
pub fn context(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(Kind::Context, options, item)
}

/// Makes an `async fn` one whose items other processes can read as a stream.
///
/// Its first argument is where it sends its items, a
/// [`StreamSender<Item>`](https://docs.rs/treewright/latest/treewright/struct.StreamSender.html).
/// The other arguments are given by whoever opens the stream. It waits in `send` while nobody
/// reads, and is cancelled when the reader drops the stream. It returns nothing, or a
/// `Result<()>` if it can fail; then the error is what the reader gets last.
///
/// ```
/// use treewright::{Result, StreamSender, open_nursery};
///
/// #[treewright::stream]
/// async fn count(mut out: StreamSender<u64>, upto: u64) -> Result<()> {
///     for n in 0..upto {
///         out.send(n).await?;
///     }
///     Ok(())
/// }
///
/// #[treewright::main]
/// async fn main() -> Result<()> {
///     open_nursery(async |n| {
///         let portal = n.start_actor("counter").await?;
///         let mut numbers = portal.open_stream_from(count(3)).await?;
///         let mut sum = 0;
///         while let Some(number) = numbers.try_next().await? {
///             sum += number;
///         }
///         assert_eq!(sum, 3);
///         portal.cancel_actor().await?;
///         Ok(())
///     })
///     .await
/// }
/// ```
///
/// Below it there is, as with [`macro@task`], a function of the same name that returns a call,
/// and a type of the same name, which implements
/// [`StreamFunction`](https://docs.rs/treewright/latest/treewright/trait.StreamFunction.html).
/// What is said there of arguments, failing and names holds here too, and for the items.
///
/// # Options
///
/// Those of [`macro@task`].
#[proc_macro_attribute]
pub fn stream(options: TokenStream, item: TokenStream) -> TokenStream {
    expand(Kind::Stream, options, item)
}

/// Makes an `async fn main` the start of the program: with a runtime, and so that the program
/// can be started again for a part of its own.
///
/// It is the same as calling [`bootstrap`](https://docs.rs/treewright/latest/treewright/fn.bootstrap.html)
/// and then [`run`](https://docs.rs/treewright/latest/treewright/fn.run.html) with what the function does. Nothing of the
/// program runs before `main`.
///
/// ```
/// #[treewright::main]
/// async fn main() -> treewright::Result<()> {
///     treewright::sleep(std::time::Duration::from_millis(1)).await;
///     Ok(())
/// }
/// ```
///
/// It may return nothing, a `Result` with any error that a [`macro@task`] may have, or what else
/// `main` may return. The program ends with exit code 1 and the error on standard error if it
/// fails: by its own error, by a panic, or because a signal cancelled it.
///
/// # Options
///
/// Every setting of [`RuntimeBuilder`](https://docs.rs/treewright/latest/treewright/struct.RuntimeBuilder.html)
/// is an option, and `crate = path` says where to find treewright if not at `::treewright`.
///
/// ```
/// use std::process::ExitCode;
/// use std::time::Duration;
///
/// #[treewright::main(grace = Duration::from_secs(2), handle_signals = false)]
/// async fn main() -> ExitCode {
///     ExitCode::SUCCESS
/// }
/// ```
#[proc_macro_attribute]
pub fn main(options: TokenStream, item: TokenStream) -> TokenStream {
    let expansion = entry::main(options.into(), item.into());
    or_errors(
        expansion,
        quote::quote!(
            fn main() {}
        )
        .into(),
    )
}

/// Makes an `async fn` a test: with a runtime, and in a test program that can be started again
/// for a part of its own.
///
/// It works under `cargo test` and nextest, with the usual harness. A hook runs before `main`
/// of the test program; it looks at one environment variable, and does nothing else unless the
/// program was started for a part.
///
/// ```
/// #[treewright::test]
/// async fn sleep_ends() {
///     treewright::sleep(std::time::Duration::from_millis(1)).await;
/// }
/// ```
///
/// A test may return nothing or a `Result` with any error that a [`macro@task`] may have.
/// `#[ignore]` and `#[should_panic]` work as with `#[test]`.
///
/// # Options
///
/// Those of [`macro@main`].
#[proc_macro_attribute]
pub fn test(options: TokenStream, item: TokenStream) -> TokenStream {
    or_errors(entry::test(options.into(), item.into()), TokenStream::new())
}

/// Lets a program whose `main` is somebody else's be started again for a part of its own.
///
/// Put it above the other attribute. It calls
/// [`bootstrap`](https://docs.rs/treewright/latest/treewright/fn.bootstrap.html) before anything else, and in particular before
/// another runtime starts its threads.
///
/// ```
/// # mod tokio { pub use treewright::main; }
/// #[treewright::bootstrap]
/// #[tokio::main]
/// async fn main() -> treewright::Result<()> {
///     // …
/// #   Ok(())
/// }
/// ```
///
/// On a plain `fn main` it is the same as the call in its first line.
///
/// # Options
///
/// `crate = path` says where to find treewright if not at `::treewright`.
#[proc_macro_attribute]
pub fn bootstrap(options: TokenStream, item: TokenStream) -> TokenStream {
    let expansion = entry::bootstrap(options.into(), item.into());
    or_errors(
        expansion,
        quote::quote!(
            fn main() {}
        )
        .into(),
    )
}

fn expand(kind: Kind, options: TokenStream, item: TokenStream) -> TokenStream {
    let expansion = function::expand(kind, options.into(), item.clone().into());
    // The function stays, so that whoever names it is not told that it is not there.
    or_errors(expansion, item)
}

/// The expansion, or the errors and `rest` in place of it.
fn or_errors(expansion: syn::Result<Tokens>, rest: TokenStream) -> TokenStream {
    let tokens = expansion.map(TokenStream::from);
    tokens.unwrap_or_else(|error| {
        let errors = TokenStream::from(error.into_compile_error());
        [errors, rest].into_iter().collect()
    })
}
