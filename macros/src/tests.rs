//! What is refused, and with which words.

use proc_macro2::TokenStream;
use quote::quote;

use crate::kind::Kind;
use crate::{entry, function};

/// Everything that is wrong with a task, fault by fault.
fn faults(item: TokenStream) -> Vec<String> {
    faults_with(quote!(), item)
}

fn faults_with(options: TokenStream, item: TokenStream) -> Vec<String> {
    texts(function::expand(Kind::Task, options, item))
}

pub(crate) fn texts(expansion: syn::Result<TokenStream>) -> Vec<String> {
    let faults = expansion.expect_err("it is refused");
    faults.into_iter().map(|fault| fault.to_string()).collect()
}

fn is_taken(item: TokenStream) {
    function::expand(Kind::Task, quote!(), item).expect("it is taken");
}

#[test]
fn owned_argument_is_suggested_for_each_kind_of_reference() {
    for (ty, advice) in [
        (quote!(&str), "take a `String`"),
        (quote!(&'static str), "take a `String`"),
        (quote!(&Path), "take a `PathBuf`"),
        (quote!(&std::path::Path), "take a `PathBuf`"),
        (quote!(&[u64]), "take a `Vec<u64>`"),
        (
            quote!(&[HashMap<String, u8>]),
            "take a `Vec<HashMap<String, u8>>`",
        ),
        (quote!(&[u8; 4]), "take `[u8 ; 4]` itself"),
        (quote!(&Order), "take `Order` itself"),
        (quote!(&mut u32), "take the value and return it changed"),
        (
            quote!(Option<&u8>),
            "use an owned type in place of the reference",
        ),
        (quote!(Cow<'a, str>), "use an owned type, or `'static`"),
        (
            quote!(impl Clone),
            "name the type in place of `impl`, since the other process has to know it",
        ),
        (quote!(Vec<_>), "write the type out"),
    ] {
        let rule = "an argument of a task comes from another process and is owned";
        let found = faults(quote!(async fn f(argument: #ty) {}));
        assert_eq!(found, [format!("{rule}: {advice}")], "{ty}");
    }
}

#[test]
fn owned_types_are_taken() {
    is_taken(quote!(
        async fn f(a: Cow<'static, str>, mut b: [u8; 4], c: (u8, Vec<Option<f64>>)) {}
    ));
    is_taken(quote!(
        pub(crate) async fn f() -> Result<u8, &'static str> {}
    ));
    is_taken(quote!(
        async fn f() -> io::Result<()> {}
    ));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let found = faults_with(
        quote!(publik),
        quote!(
            unsafe fn f<T>(&self, (a, b): (u8, T), _: u8) -> impl Clone {}
        ),
    );
    let beginnings = [
        "unknown option `publik`: a task has `name = \"…\"`, `public` and `crate = path`",
        "a task is an `async fn`: put `async` before `fn`",
        "a task has no generic parameters",
        "a task is not `unsafe`",
        "a task has no `self`",
        "an argument of a task is one name",
        "an argument of a task has a name",
        "the result of a task goes to another process and is owned: name the type",
    ];
    assert_eq!(found.len(), beginnings.len(), "{found:#?}");
    for (found, beginning) in found.iter().zip(beginnings) {
        assert!(found.starts_with(beginning), "{found}");
    }
}

#[test]
fn thirteenth_argument_is_refused() {
    let names = (0..12).map(|number| quote::format_ident!("a{number}"));
    let twelve = quote!(#(#names: u8),*);
    is_taken(quote!(async fn f(#twelve) {}));
    let found = faults(quote!(async fn f(#twelve, more: u8) {}));
    assert!(found[0].starts_with("a task has at most 12 arguments, and this one has 13"));
}

#[test]
fn what_is_no_function_is_told_apart_from_a_slip_in_one() {
    let found = faults(quote!(
        struct S;
    ));
    assert_eq!(found, ["`#[treewright::task]` goes on an `async fn`"]);
    let slip = faults(quote!(async fn f(n u8) {}));
    assert_ne!(slip, found);
}

#[test]
fn option_that_is_given_twice_or_wrongly_is_refused() {
    let item = quote!(
        async fn f() {}
    );
    for (options, expected) in [
        (quote!(public, public), "the option `public` is there twice"),
        (
            quote!(name = "a b"),
            "the name of a task is not empty and has no spaces",
        ),
        (
            quote!(name = ""),
            "the name of a task is not empty and has no spaces",
        ),
        (quote!(a::b), "an option is one word"),
    ] {
        assert_eq!(faults_with(options, item.clone()), [expected]);
    }
}

#[test]
fn main_with_something_else_around_it_is_refused() {
    let main = |item| texts(entry::main(quote!(), item));
    assert_eq!(
        main(quote!(
            fn main() {}
        )),
        ["`main` is an `async fn`: put `async` before `fn`"]
    );
    assert_eq!(
        main(quote!(
            async fn main(n: u8) {}
        )),
        ["`main` has no arguments: nobody would give it any"]
    );
    assert!(
        main(quote!(
            async fn other() {}
        ))[0]
            .starts_with("`#[treewright::main]` goes on `main`")
    );
    let valueless = texts(entry::main(
        quote!(grace),
        quote!(
            async fn main() {}
        ),
    ));
    assert!(valueless[0].starts_with("the option `grace` needs a value: `grace = …`"));
}

#[test]
fn test_with_two_attributes_is_refused() {
    let doubled = quote!(
        #[test]
        async fn f() {}
    );
    assert_eq!(
        texts(entry::test(quote!(), doubled)),
        ["`#[treewright::test]` makes it a test already: take `#[test]` away"]
    );
}

#[test]
fn bootstrap_of_an_async_main_wants_its_runtime_below() {
    let bare = quote!(
        #[doc = "text"]
        async fn main() {}
    );
    let found = texts(entry::bootstrap(quote!(), bare));
    assert!(found[0].contains("put its attribute, such as `#[tokio::main]`, below"));
    let other = quote!(
        #[tokio::main]
        async fn main() {}
    );
    entry::bootstrap(quote!(), other).expect("it is taken");
    let option = texts(entry::bootstrap(
        quote!(grace = 1),
        quote!(
            fn main() {}
        ),
    ));
    assert_eq!(
        option,
        ["unknown option `grace`: `#[treewright::bootstrap]` has `crate = path`"]
    );
}
