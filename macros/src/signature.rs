//! The signature of a function that other processes call: what it must be, and its hash.

use std::fmt;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Error, ItemFn, Signature};

use crate::channel::{self, Channel};
use crate::kind::Kind;
use crate::output::Output;
use crate::parameters::{self, Parameter};

/// Everything that is wrong with one item, to be told at once.
#[derive(Default)]
pub(crate) struct Faults(Option<Error>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Error) {
        match &mut self.0 {
            Some(faults) => faults.combine(fault),
            None => self.0 = Some(fault),
        }
    }

    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Both values, or the faults of both.
pub(crate) fn both<A, B>(one: syn::Result<A>, other: syn::Result<B>) -> syn::Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(mut faults), Err(others)) => {
            faults.combine(others);
            Err(faults)
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
    }
}

/// The item as a function; `attribute` is named if it is something else.
pub(crate) fn function(item: TokenStream, attribute: impl fmt::Display) -> syn::Result<ItemFn> {
    syn::parse2(item.clone()).map_err(|error| {
        // What is no function at all gets advice; what is one with a slip in it, the slip.
        let is_function = item
            .into_iter()
            .any(|token| matches!(&token, TokenTree::Ident(word) if word == "fn"));
        match is_function {
            true => error,
            false => Error::new(
                error.span(),
                format!("`#[treewright::{attribute}]` goes on an `async fn`"),
            ),
        }
    })
}

/// The checked parts of the signature of a function that other processes call.
pub(crate) struct FunctionSignature {
    /// What it talks through, if it is a context or a stream.
    pub(crate) channel: Option<Channel>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
    /// Tells this signature from others under the same name.
    pub(crate) hash: u64,
}

impl FunctionSignature {
    pub(crate) fn read(kind: Kind, signature: &Signature) -> syn::Result<Self> {
        let what = format!("a {kind}");
        let mut faults = Faults::default();
        check_asyncness(signature, &what, &mut faults);
        check_generics(kind, signature, &mut faults);
        check_qualifiers(signature, &what, &mut faults);
        let (channel, inputs) = channel::read(kind, signature, &mut faults);
        let parameters = parameters::read(kind, &inputs, &mut faults);
        let output = Output::of(&signature.output);
        output.check(kind, &mut faults);
        faults.into_result()?;
        let hash = hash(kind, channel.as_ref(), &parameters, &output);
        Ok(Self {
            channel,
            parameters,
            output,
            hash,
        })
    }
}

pub(crate) fn check_asyncness(signature: &Signature, what: &str, faults: &mut Faults) {
    if signature.asyncness.is_none() {
        faults.add(Error::new(
            signature.fn_token.span(),
            format!("{what} is an `async fn`: put `async` before `fn`"),
        ));
    }
}

fn check_generics(kind: Kind, signature: &Signature, faults: &mut Faults) {
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        faults.add(Error::new(
            generics.params.span(),
            format!(
                "a {kind} has no generic parameters, since the process that runs it has to know the \
                 types: write one {kind} for each type, and call the generic function in it"
            ),
        ));
    }
    if let Some(clause) = &generics.where_clause {
        faults.add(Error::new(
            clause.span(),
            format!("a {kind} has no `where` clause, since it has no generic parameters"),
        ));
    }
}

/// Refuses what makes a function another kind of function.
pub(crate) fn check_qualifiers(signature: &Signature, what: &str, faults: &mut Faults) {
    let mut refuse = |span, word: &str| {
        faults.add(Error::new(span, format!("{what} is not `{word}`")));
    };
    if let Some(word) = &signature.constness {
        refuse(word.span(), "const");
    }
    if let Some(word) = &signature.abi {
        refuse(word.span(), "extern");
    }
    let safety = signature.safety.to_token_stream();
    if !safety.is_empty() {
        refuse(safety.span(), "unsafe");
    }
    if let Some(word) = &signature.variadic {
        refuse(word.span(), "variadic");
    }
}

/// A hash (FNV-1a) of the words of a signature: types of the channel, names and types of the
/// arguments, and the type of the result; its lowest two bits are the kind. It is the same for every compiler and every layout of the source.
fn hash(kind: Kind, channel: Option<&Channel>, parameters: &[Parameter], output: &Output) -> u64 {
    let mut hash = Fnv::default();
    for ty in channel.iter().flat_map(|channel| &channel.types) {
        hash.add("<");
        hash.add_tokens(ty.to_token_stream());
        hash.add(">");
    }
    for parameter in parameters {
        hash.add(&parameter.name.to_string());
        hash.add(":");
        hash.add_tokens(parameter.ty.to_token_stream());
        hash.add(",");
    }
    hash.add("->");
    hash.add_tokens(output.ty.to_token_stream());
    hash.0 & !0b11 | kind.bits()
}

struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, word: &str) {
        // A byte that is in no text ends each word.
        for byte in word.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn add_tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.add(&format!("{:?}", group.delimiter()));
                    self.add_tokens(group.stream());
                    self.add("end");
                }
                TokenTree::Punct(mark) => self.add(mark.as_char().encode_utf8(&mut [0; 4])),
                other => self.add(&other.to_string()),
            }
        }
    }
}
