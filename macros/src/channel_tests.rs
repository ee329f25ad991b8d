//! What a context or a stream may talk through, and with which words it is refused.

use proc_macro2::TokenStream;
use quote::quote;

use crate::function;
use crate::kind::Kind;
use crate::tests::texts;

fn is_taken_as(kind: Kind, item: TokenStream) {
    function::expand(kind, quote!(), item).expect("it is taken");
}

/// Everything that is wrong with a function of some kind.
fn faults_of(kind: Kind, item: TokenStream) -> Vec<String> {
    texts(function::expand(kind, quote!(), item))
}

/// The hash of the signature in an expansion.
fn hash_of(kind: Kind, item: TokenStream) -> u64 {
    let expansion = function::expand(kind, quote!(), item).expect("it is taken");
    let text = expansion.to_string();
    let after = text.split("const SIGNATURE : u64 = ").nth(1);
    let number = after.and_then(|after| after.split("u64").next());
    number.expect("it is there").parse().expect("a number")
}

#[test]
fn contexts_and_streams_are_taken() {
    for item in [
        quote!(
            async fn f(ctx: Context<i64, Ping, Pong>, data: i64) -> Result<()> {}
        ),
        quote!(
            async fn f(_: treewright::Context<i64>) {}
        ),
        quote!(
            pub async fn f(mut _ctx: Context) -> u8 {}
        ),
        quote!(
            async fn f(channel: Context<(), Vec<(u8, String)>, ()>, channel_of: u8) {}
        ),
    ] {
        is_taken_as(Kind::Context, item);
    }
    for item in [
        quote!(
            async fn f(mut out: StreamSender<u64>, upto: u64) -> io::Result<()> {}
        ),
        quote!(
            async fn f(out: treewright::StreamSender<Vec<u8>>) {}
        ),
        quote!(
            async fn f(out: StreamSender<u8>) -> MyResult {}
        ),
    ] {
        is_taken_as(Kind::Stream, item);
    }
}

#[test]
fn context_without_what_it_talks_through_is_told_what_that_is() {
    for item in [
        quote!(
            async fn f() {}
        ),
        quote!(
            async fn f(data: i64) {}
        ),
        quote!(
            async fn f(data: i64, ctx: MyContext<u8, u8, u8>) {}
        ),
    ] {
        let found = faults_of(Kind::Context, item);
        assert_eq!(
            found,
            ["the first argument of a context is what it talks through: \
                 `ctx: Context<First, Receives, Sends>`, with the types of the first value, of the \
                 messages that come and of those that go"]
        );
    }
    let found = faults_of(
        Kind::Stream,
        quote!(
            async fn f(upto: u64) {}
        ),
    );
    assert_eq!(
        found,
        [
            "the first argument of a stream is what it sends its items through: \
          `mut out: StreamSender<Item>`"
        ]
    );
}

#[test]
fn channel_of_another_kind_says_which_attribute_to_use() {
    let context = quote!(
        async fn f(ctx: Context<u8, u8, u8>) {}
    );
    let stream = quote!(
        async fn f(out: StreamSender<u8>) {}
    );
    for (kind, item, expected) in [
        (
            Kind::Task,
            &context,
            "a task has no `Context`: mark the function `#[treewright::context]`",
        ),
        (
            Kind::Stream,
            &context,
            "a stream has no `Context`: mark the function `#[treewright::context]`",
        ),
        (
            Kind::Task,
            &stream,
            "a task has no `StreamSender`: mark the function `#[treewright::stream]`",
        ),
        (
            Kind::Context,
            &stream,
            "a context has no `StreamSender`: mark the function `#[treewright::stream]`",
        ),
    ] {
        assert_eq!(faults_of(kind, item.clone()), [expected]);
    }
    // A type of one's own may have the name.
    is_taken_as(
        Kind::Task,
        quote!(
            async fn f(shop: shop::Context, also: Context) {}
        ),
    );
}

#[test]
fn channel_that_is_borrowed_late_or_of_odd_types_is_refused() {
    let rule = "what goes through a channel goes to another process and is owned";
    let owned = format!("{rule}: use an owned type in place of the reference");
    let written = format!("{rule}: write the type out");
    let own = "a context owns what it talks through: take the `Context` itself";
    let types = "the types of the channel are `Context<First, Receives, Sends>`";
    for (inputs, expected) in [
        (quote!(ctx: &Context<u8, u8, u8>), own),
        (quote!(ctx: &mut Context), own),
        (quote!(ctx: Context<&'static str, u8, u8>), &owned),
        (quote!(ctx: Context<u8, Vec<&[u8]>, u8>), &owned),
        (quote!(ctx: Context<u8, u8, _>), &written),
        (quote!(ctx: Context<u8, u8, u8, u8>), types),
        (quote!(ctx: Context<'a>), types),
        (
            quote!(ctx: Context<u8>, other: Context<u8>),
            "a context has one `Context`, which comes first",
        ),
        (
            quote!(#[cfg(unix)] ctx: Context<u8>),
            "an argument of a context has no attributes: put them on the function",
        ),
    ] {
        let found = faults_of(Kind::Context, quote!(async fn f(#inputs) {}));
        assert_eq!(found, [expected], "{inputs}");
    }
    let itemless = quote!(
        async fn f(out: StreamSender) {}
    );
    assert_eq!(
        faults_of(Kind::Stream, itemless),
        ["the types of the channel are `StreamSender<Item>`"]
    );
}

#[test]
fn other_faults_of_a_context_are_told_with_its_word() {
    let found = texts(function::expand(
        Kind::Context,
        quote!(publik),
        quote!(
            fn f<T>(ctx: Context<T>, text: &str) -> &'static str {}
        ),
    ));
    let beginnings = [
        "unknown option `publik`: a context has",
        "a context is an `async fn`",
        "a context has no generic parameters",
        "an argument of a context comes from another process and is owned: take a `String`",
        "the result of a context goes to another process and is owned",
    ];
    assert_eq!(found.len(), beginnings.len(), "{found:#?}");
    for (found, beginning) in found.iter().zip(beginnings) {
        assert!(found.starts_with(beginning), "{found}");
    }
    let method = faults_of(
        Kind::Context,
        quote!(
            async fn f(&self) {}
        ),
    );
    assert!(method[0].starts_with("a context has no `self`") && method.len() == 1);
    let slip = faults_of(
        Kind::Stream,
        quote!(
            struct S;
        ),
    );
    assert_eq!(slip, ["`#[treewright::stream]` goes on an `async fn`"]);
}

#[test]
fn stream_that_returns_a_value_is_refused() {
    for returned in [quote!(u64), quote!(Result<u64, String>)] {
        let found = faults_of(
            Kind::Stream,
            quote!(async fn f(out: StreamSender<u8>) -> #returned {}),
        );
        assert_eq!(
            found,
            [
                "a stream gives no value but its items: it returns `()`, or a `Result<()>` if it can fail"
            ]
        );
    }
}

#[test]
fn signature_tells_kinds_and_the_types_of_the_channel() {
    let context = |channel| hash_of(Kind::Context, quote!(async fn f(ctx: #channel, n: u8) {}));
    let one = context(quote!(Context<u8, u16, u32>));
    assert_eq!(one, context(quote!(treewright::Context<u8, u16, u32>)));
    assert_eq!(
        context(quote!(Context<u8>)),
        context(quote!(Context<u8, (), ()>))
    );
    for other in [
        quote!(Context<u16, u16, u32>),
        quote!(Context<u8, u32, u16>),
        quote!(Context<u8, u16, u64>),
        quote!(Context),
    ] {
        assert_ne!(one, context(other));
    }
    let task = hash_of(
        Kind::Task,
        quote!(
            async fn f(n: u8) {}
        ),
    );
    let stream = hash_of(
        Kind::Stream,
        quote!(
            async fn f(out: StreamSender<u8>) {}
        ),
    );
    assert_eq!([task & 3, one & 3, stream & 3], [1, 2, 3]);
}

#[test]
fn docs_say_what_the_call_does_not_show() {
    for (kind, item, expected) in [
        (
            Kind::Task,
            quote!(
                async fn f(n: u8) -> Option<u8> {}
            ),
            "Makes a call of the task, which gives `Option<u8>`.",
        ),
        (
            Kind::Task,
            quote!(
                async fn f() {}
            ),
            "Makes a call of the task.",
        ),
        (
            Kind::Context,
            quote!(
                async fn f(ctx: Context<u8, a::B, ()>) -> Result<u8> {}
            ),
            "Makes a call of the context, which talks through `Context<u8, a::B, ()>` and gives `Result<u8>`.",
        ),
        (
            Kind::Stream,
            quote!(
                async fn f(out: StreamSender<u8>) -> Result<()> {}
            ),
            "Makes a call of the stream, which yields `u8`.",
        ),
    ] {
        let documented = quote!(#[doc = "Does."] #item);
        let expansion = |item| function::expand(kind, quote!(), item).expect("it is taken");
        let text = expansion(documented).to_string();
        assert!(text.contains(expected), "{expected}: {text}");
        let text = expansion(item).to_string();
        assert!(!text.contains("Makes a call"), "{text}");
    }
}
