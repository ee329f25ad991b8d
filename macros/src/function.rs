//! The expansion of `#[task]`, and of the attributes of the other kinds.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, ItemFn, LitStr};

use crate::attributes::Attributes;
use crate::channel::{self, Channel};
use crate::kind::Kind;
use crate::options::{FunctionOptions, plain};
use crate::parameters::plain_text;
use crate::signature::{self, FunctionSignature, both};

/// A function that other processes call, ready to be written out.
struct Function {
    kind: Kind,
    options: FunctionOptions,
    attributes: Attributes,
    function: ItemFn,
    signature: FunctionSignature,
}

pub(crate) fn expand(
    kind: Kind,
    options: TokenStream,
    item: TokenStream,
) -> syn::Result<TokenStream> {
    let options = FunctionOptions::parse(kind, options);
    let mut function = signature::function(item, kind)?;
    let (options, signature) = both(options, FunctionSignature::read(kind, &function.sig))?;
    let attributes = Attributes::sort(std::mem::take(&mut function.attrs));
    let function = Function {
        kind,
        options,
        attributes,
        function,
        signature,
    };
    let parts = [
        function.caller(),
        function.ty(),
        function.body(),
        function.description(),
        function.run(),
        function.entry(),
    ];
    Ok(parts.into_iter().collect())
}

impl Function {
    /// The function that makes a call.
    fn caller(&self) -> TokenStream {
        let Attributes {
            conditions,
            outside,
            ..
        } = &self.attributes;
        let treewright = &self.options.treewright;
        let (visibility, name) = (&self.function.vis, &self.function.sig.ident);
        let names = self.names();
        let types = self.types();
        let is_documented = outside
            .iter()
            .any(|attribute| attribute.path().is_ident("doc"));
        // One without a word about it is left so, for the lint that asks for docs.
        let summary = is_documented.then(|| {
            let summary = self.summary();
            quote!(#[doc = ""] #[doc = #summary])
        });
        // A function that only files name is not dead code, and too many arguments are told once.
        quote! {
            #(#conditions)*
            #(#outside)*
            #summary
            #[allow(dead_code, clippy::too_many_arguments, clippy::needless_pass_by_value)]
            #visibility fn #name(#(#names: #types),*) -> #treewright::Call<#name> {
                #treewright::Call::from_args((#(#names,)*))
            }
        }
    }

    /// What the signature of the function that makes a call does not show, for its docs.
    fn summary(&self) -> String {
        let FunctionSignature {
            channel, output, ..
        } = &self.signature;
        let gives = || {
            let gives = format!("gives `{}`", plain_text(&output.ty));
            (!output.is_unit()).then_some(gives)
        };
        let what: Vec<_> = match (self.kind, channel) {
            (Kind::Stream, Some(channel)) => {
                let items: Vec<_> = channel.types.iter().map(plain_text).collect();
                vec![format!("yields `{}`", items.join(", "))]
            }
            (_, Some(channel)) => {
                let through = format!("talks through `{}`", plain_text(&channel.ty));
                [Some(through), gives()].into_iter().flatten().collect()
            }
            (_, None) => gives().into_iter().collect(),
        };
        match what.is_empty() {
            true => format!("Makes a call of the {}.", self.kind),
            false => format!(
                "Makes a call of the {}, which {}.",
                self.kind,
                what.join(" and ")
            ),
        }
    }

    /// The type that stands for the function.
    fn ty(&self) -> TokenStream {
        let conditions = &self.attributes.conditions;
        let (visibility, name) = (&self.function.vis, &self.function.sig.ident);
        let doc = format!("The {} [`{name}()`](fn@{name}) as a type.", self.kind);
        quote! {
            #(#conditions)*
            #[doc = #doc]
            #[allow(non_camel_case_types, dead_code)]
            #visibility struct #name {}
        }
    }

    /// The code itself.
    fn body(&self) -> TokenStream {
        let Attributes {
            conditions, inside, ..
        } = &self.attributes;
        let signature = &self.function.sig;
        let (name, inputs, output) = (&signature.ident, &signature.inputs, &signature.output);
        let block = &self.function.block;
        quote! {
            #(#conditions)*
            impl #name {
                #(#inside)*
                #[allow(clippy::unused_async)]
                async fn body(#inputs) #output #block
            }
        }
    }

    /// What every function of any kind is to the runtime.
    fn description(&self) -> TokenStream {
        let conditions = &self.attributes.conditions;
        let treewright = &self.options.treewright;
        let name = &self.function.sig.ident;
        let types = self.types();
        let parameters = self.names().into_iter().map(plain);
        // What the compiler has against an argument, it says of the arguments.
        let span = self.function.sig.paren_token.span.join();
        let args = quote_spanned!(span=> (#(#types,)*));
        let kind = format_ident!("{}", self.kind.variant());
        let path = self.path();
        let hash = self.signature.hash;
        let (returned, value, outcome) = (&self.signature.output.ty, self.value(), self.outcome());
        quote! {
            #(#conditions)*
            impl #treewright::Function for #name {
                type Args = #args;
                type Output = #returned;
                type Value = #value;
                const KIND: #treewright::FunctionKind = #treewright::FunctionKind::#kind;
                const PATH: &'static str = #path;
                const SIGNATURE: u64 = #hash;
                const PARAMETERS: &'static [&'static str] = &[#(#parameters),*];

                #outcome
            }
        }
    }

    /// How the runtime runs it.
    fn run(&self) -> TokenStream {
        let conditions = &self.attributes.conditions;
        let treewright = &self.options.treewright;
        let name = &self.function.sig.ident;
        let names = self.names();
        let kind = format_ident!("{}", self.kind.trait_name());
        // No argument is called the same, whatever it is called.
        let variable = Ident::new("channel", Span::mixed_site());
        let (mut types, mut input, mut given) = (Vec::new(), None, None);
        if let Some(Channel { ty, types: all }) = &self.signature.channel {
            let roles = channel::role_names(self.kind).iter().zip(all);
            types.extend(roles.map(|(role, ty)| {
                let role = format_ident!("{role}");
                quote!(type #role = #ty;)
            }));
            input = Some(quote!(#variable: #ty,));
            given = Some(quote!(#variable,));
        }
        // Tasks also run many times in a row, without a box for each.
        let unboxed = (self.kind == Kind::Task).then(|| {
            quote! {
                fn call(
                    (#(#names,)*): Self::Args,
                ) -> impl #treewright::__private::Future<Output = Self::Output> + 'static {
                    Self::body(#(#names),*)
                }
            }
        });
        quote! {
            #(#conditions)*
            impl #treewright::#kind for #name {
                #(#types)*

                fn run(
                    #input
                    (#(#names,)*): Self::Args,
                ) -> #treewright::__private::LocalBoxFuture<'static, Self::Output> {
                    #treewright::__private::Box::pin(Self::body(#given #(#names),*))
                }

                #unboxed
            }
        }
    }

    /// What comes back when the function succeeds.
    fn value(&self) -> TokenStream {
        let treewright = &self.options.treewright;
        let ty = &self.signature.output.ty;
        match self.signature.output.is_fallible {
            true => quote_spanned!(ty.span()=> <#ty as #treewright::__private::Fallible>::Value),
            false => quote!(#ty),
        }
    }

    /// The function that tells success from failure.
    fn outcome(&self) -> TokenStream {
        let treewright = &self.options.treewright;
        let body = match self.signature.output.is_fallible {
            true => {
                let span = self.signature.output.ty.span();
                let failure = quote_spanned! {span=>
                    (&&&&#treewright::__private::ErrorType::of(&error)).failure_source().make(error)
                };
                quote! {
                    use #treewright::__private::{
                        LocalFailure as _, PlainFailure as _, TypedFailure as _, UnfitFailure as _,
                    };
                    output.map_err(|error| #failure)
                }
            }
            false => quote!(#treewright::__private::Ok(output)),
        };
        quote! {
            fn outcome(
                output: Self::Output,
            ) -> #treewright::__private::Result<Self::Value, #treewright::__private::TaskFailure> {
                #body
            }
        }
    }

    /// Its place in the list of all such functions of the program.
    fn entry(&self) -> TokenStream {
        let conditions = &self.attributes.conditions;
        let treewright = &self.options.treewright;
        let name = &self.function.sig.ident;
        let is_public = self.options.is_public;
        let of = format_ident!("{}", self.kind.entry());
        quote! {
            #(#conditions)*
            const _: () = {
                #[#treewright::__private::linkme::distributed_slice(#treewright::__private::TASKS)]
                #[linkme(crate = #treewright::__private::linkme)]
                static ENTRY: #treewright::TaskEntry = #treewright::TaskEntry::#of::<#name>(
                    #is_public,
                    #treewright::__private::file!(),
                    #treewright::__private::line!(),
                );
            };
        }
    }

    /// What it is known by.
    fn path(&self) -> TokenStream {
        let treewright = &self.options.treewright;
        match &self.options.name {
            Some(name) => quote!(#name),
            None => {
                let name: LitStr = plain(&self.function.sig.ident);
                quote! {
                    #treewright::__private::concat!(
                        #treewright::__private::module_path!(), "::", #name
                    )
                }
            }
        }
    }

    fn names(&self) -> Vec<&syn::Ident> {
        let parameters = self.signature.parameters.iter();
        parameters.map(|parameter| &parameter.name).collect()
    }

    fn types(&self) -> Vec<&syn::Type> {
        let parameters = self.signature.parameters.iter();
        parameters.map(|parameter| &parameter.ty).collect()
    }
}
