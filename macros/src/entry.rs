//! The expansions of `#[main]`, `#[test]` and `#[bootstrap]`: where a program begins.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Block, Error, Ident, ItemFn, ReturnType, Signature, Type, Visibility};

use crate::attributes::Attributes;
use crate::options::EntryOptions;
use crate::output::Output;
use crate::signature::{self, Faults, both, check_asyncness, check_qualifiers};

/// An `async fn` without arguments that becomes a plain one with a runtime in it.
struct Entry {
    options: EntryOptions,
    attributes: Attributes,
    visibility: Visibility,
    name: Ident,
    output: Output,
    arrow: ReturnType,
    block: Box<Block>,
}

/// The result of a function that was written with another one.
struct Outcome {
    /// What the plain function returns.
    returned: TokenStream,
    /// What the runtime runs.
    body: TokenStream,
}

pub(crate) fn main(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = signature::function(item, "main")?;
    let mut faults = Faults::default();
    if function.sig.ident != "main" {
        faults.add(Error::new(
            function.sig.ident.span(),
            "`#[treewright::main]` goes on `main`: a part of the program that is started again begins there",
        ));
    }
    let entry = Entry::read(options, function, "`main`", faults)?;
    let Outcome { returned, body } = entry.outcome();
    let treewright = &entry.options.treewright;
    let first = quote!(#treewright::bootstrap(););
    let run = entry.run(&body);
    Ok(entry.function(&first, &returned, &run))
}

pub(crate) fn test(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function = signature::function(item, "test")?;
    let mut faults = Faults::default();
    let doubled = function
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("test"));
    if let Some(doubled) = doubled {
        faults.add(Error::new(
            doubled.span(),
            "`#[treewright::test]` makes it a test already: take `#[test]` away",
        ));
    }
    let entry = Entry::read(options, function, "a test", faults)?;
    let treewright = &entry.options.treewright;
    let hook = quote!(#treewright::child_hook!(););
    // A test that returns nothing fails by a panic, as tests do that expect one.
    let Outcome { returned, body } = entry.outcome();
    let run = entry.run(&body);
    let test = match entry.output.is_unit() {
        true => {
            let run = quote!(#treewright::__private::pass(#run));
            entry.function(&hook, &quote!(()), &run)
        }
        false => entry.function(&hook, &returned, &run),
    };
    Ok(quote!(#[::core::prelude::v1::test] #test))
}

impl Entry {
    fn read(
        options: TokenStream,
        mut function: ItemFn,
        what: &str,
        mut faults: Faults,
    ) -> syn::Result<Self> {
        let signature = &function.sig;
        check_asyncness(signature, what, &mut faults);
        check_qualifiers(signature, what, &mut faults);
        check_plain(signature, what, &mut faults);
        let output = Output::of(&signature.output);
        output.check_named(what, &mut faults);
        let (options, ()) = both(EntryOptions::parse(options), faults.into_result())?;
        Ok(Self {
            options,
            attributes: Attributes::sort(std::mem::take(&mut function.attrs)),
            visibility: function.vis,
            name: function.sig.ident,
            output,
            arrow: function.sig.output,
            block: function.block,
        })
    }

    /// What becomes of the value: errors become ours, since the runtime has its own.
    fn outcome(&self) -> Outcome {
        let treewright = &self.options.treewright;
        let (name, ty) = (&self.name, &self.output.ty);
        if self.output.is_unit() {
            return Outcome {
                returned: quote!(#treewright::Result<()>),
                body: quote!({ #name().await; #treewright::__private::Ok(()) }),
            };
        }
        if !self.output.is_fallible {
            return Outcome {
                returned: quote!(#treewright::Result<#ty>),
                body: quote!({ #treewright::__private::Ok(#name().await) }),
            };
        }
        let error = quote_spanned! {ty.span()=>
            (&&&&#treewright::__private::ErrorType::of(&error)).failure_source().error(error)
        };
        Outcome {
            returned: quote_spanned! {ty.span()=>
                #treewright::Result<<#ty as #treewright::__private::Fallible>::Value>
            },
            body: quote!({
                use #treewright::__private::{
                    LocalFailure as _, PlainFailure as _, TypedFailure as _, UnfitFailure as _,
                };
                #name().await.map_err(|error| #error)
            }),
        }
    }

    /// Runs `body` on a runtime with the options.
    fn run(&self, body: &TokenStream) -> TokenStream {
        let treewright = &self.options.treewright;
        let settings = self
            .options
            .settings
            .iter()
            .map(|(name, value)| quote_spanned!(name.span()=> .#name(#value)));
        quote!(#treewright::Runtime::builder() #(#settings)* .run(async || #body))
    }

    /// The plain function, with the one that was written inside.
    fn function(
        &self,
        first: &TokenStream,
        returned: &TokenStream,
        run: &TokenStream,
    ) -> TokenStream {
        let Attributes {
            conditions,
            outside,
            inside,
        } = &self.attributes;
        let (of_tests, inside): (Vec<_>, Vec<_>) = inside.iter().partition(|attribute| {
            let path = attribute.path();
            path.is_ident("ignore") || path.is_ident("should_panic")
        });
        let (visibility, name) = (&self.visibility, &self.name);
        let (arrow, block) = (&self.arrow, &self.block);
        // Behind the call of one that never returns there is still the end of the body.
        let unreachable = matches!(self.output.ty, Type::Never(_))
            .then(|| quote!(#[allow(unreachable_code, clippy::diverging_sub_expression)]));
        quote! {
            #(#conditions)*
            #(#outside)*
            #(#of_tests)*
            #unreachable
            #visibility fn #name() -> #returned {
                #(#inside)*
                #[allow(clippy::unused_async)]
                async fn #name() #arrow #block
                #first
                #run
            }
        }
    }
}

/// Refuses arguments and generic parameters.
fn check_plain(signature: &Signature, what: &str, faults: &mut Faults) {
    if !signature.inputs.is_empty() {
        faults.add(Error::new(
            signature.inputs.span(),
            format!("{what} has no arguments: nobody would give it any"),
        ));
    }
    if !signature.generics.params.is_empty() {
        faults.add(Error::new(
            signature.generics.params.span(),
            format!("{what} has no generic parameters"),
        ));
    }
}

pub(crate) fn bootstrap(options: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = EntryOptions::parse(options)?;
    let function = signature::function(item, "bootstrap")?;
    let mut faults = Faults::default();
    if let Some((name, _)) = options.settings.first() {
        faults.add(Error::new(
            name.span(),
            format!("unknown option `{name}`: `#[treewright::bootstrap]` has `crate = path`"),
        ));
    }
    if function.sig.ident != "main" {
        faults.add(Error::new(
            function.sig.ident.span(),
            "`#[treewright::bootstrap]` goes on `main`: a part of the program that is started again begins there",
        ));
    }
    if function.sig.asyncness.is_some() && function.attrs.iter().all(is_of_the_language) {
        faults.add(Error::new(
            function.sig.ident.span(),
            "an `async fn main` needs a runtime: put its attribute, such as `#[tokio::main]`, below \
             `#[treewright::bootstrap]`, or use `#[treewright::main]` in place of both",
        ));
    }
    check_plain(&function.sig, "`main`", &mut faults);
    faults.into_result()?;
    let treewright = &options.treewright;
    let (visibility, output) = (&function.vis, &function.sig.output);
    Ok(quote! {
        #visibility fn main() #output {
            #function
            #treewright::bootstrap();
            main()
        }
    })
}

/// Whether an attribute is one that makes no other function of a function.
fn is_of_the_language(attribute: &syn::Attribute) -> bool {
    let known = [
        "doc", "cfg", "allow", "expect", "warn", "deny", "forbid", "must_use", "inline", "cold",
    ];
    attribute
        .path()
        .get_ident()
        .is_some_and(|name| known.iter().any(|known| name == known))
}
