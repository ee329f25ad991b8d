//! What a context or a stream talks through: its first argument, which its caller does not
//! give.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{
    Error, FnArg, GenericArgument, Path, PathArguments, Signature, Token, Type, parse_quote,
};

use crate::kind::Kind;
use crate::parameters::check_tokens;
use crate::signature::Faults;

/// The first argument of a context or a stream.
pub(crate) struct Channel {
    /// The whole type, as it is written.
    pub(crate) ty: Type,
    /// What goes through it, in the order of [`role_names`].
    pub(crate) types: Vec<Type>,
}

type Inputs = Punctuated<FnArg, Token![,]>;

/// What the types of the channel are called, by the trait of the kind.
pub(crate) fn role_names(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Task => &[],
        Kind::Context => &["First", "Receives", "Sends"],
        Kind::Stream => &["Item"],
    }
}

/// Reads the channel that a function of this kind has, if it has one; the arguments that its
/// caller gives are the others.
pub(crate) fn read<'a>(
    kind: Kind,
    signature: &'a Signature,
    faults: &mut Faults,
) -> (Option<Channel>, Vec<&'a FnArg>) {
    let inputs: &Inputs = &signature.inputs;
    let all = || inputs.iter().collect();
    if kind == Kind::Task {
        return (None, all());
    }
    let first = match inputs.first() {
        Some(FnArg::Typed(first)) => first,
        // It is refused where all arguments are looked at.
        Some(FnArg::Receiver(_)) => return (None, all()),
        None => {
            let span = signature.paren_token.span.join();
            faults.add(Error::new(span, missing(kind)));
            return (None, all());
        }
    };
    let (path, advice) = match bare(&first.ty) {
        Type::Reference(reference) => (as_channel(&reference.elem), Some(no_reference(kind))),
        ty => (as_channel(ty), None),
    };
    let Some((found, path)) = path else {
        faults.add(Error::new(first.ty.span(), missing(kind)));
        return (None, all());
    };
    let others = inputs.iter().skip(1).collect();
    if found != kind {
        faults.add(Error::new(first.ty.span(), other_kind(kind, found)));
        return (None, others);
    }
    if let Some(attribute) = first.attrs.first() {
        faults.add(Error::new(
            attribute.span(),
            format!("an argument of a {kind} has no attributes: put them on the function"),
        ));
    }
    let types = match advice {
        Some(advice) => Err(Error::new(first.ty.span(), advice)),
        None => types(kind, path, faults),
    };
    match types {
        Ok(types) => {
            let ty = (*first.ty).clone();
            (Some(Channel { ty, types }), others)
        }
        Err(fault) => {
            faults.add(fault);
            (None, others)
        }
    }
}

/// What is wrong with a channel of any kind in a place for an argument that a caller gives.
pub(crate) fn misplaced(kind: Kind, ty: &Type) -> Option<String> {
    let ty = match bare(ty) {
        Type::Reference(reference) => &reference.elem,
        ty => ty,
    };
    let (found, path) = as_channel(ty)?;
    // A type of somebody else may have the name.
    let is_ours = path.segments.len() > 1 && path.segments[0].ident == "treewright";
    let has_types = path.segments.last().is_some_and(|last| {
        matches!(&last.arguments, PathArguments::AngleBracketed(list)
            if list.args.iter().any(|argument| matches!(argument, GenericArgument::Type(_))))
    });
    (is_ours || has_types).then(|| match found == kind {
        true => format!("a {kind} has one `{}`, which comes first", name(found)),
        false => other_kind(kind, found),
    })
}

/// The name of the type that a function of this kind talks through.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "",
        Kind::Context => "Context",
        Kind::Stream => "StreamSender",
    }
}

fn missing(kind: Kind) -> &'static str {
    match kind {
        Kind::Task => "",
        Kind::Context => {
            "the first argument of a context is what it talks through: \
             `ctx: Context<First, Receives, Sends>`, with the types of the first value, of the \
             messages that come and of those that go"
        }
        Kind::Stream => {
            "the first argument of a stream is what it sends its items through: \
             `mut out: StreamSender<Item>`"
        }
    }
}

fn no_reference(kind: Kind) -> String {
    let name = name(kind);
    format!("a {kind} owns what it talks through: take the `{name}` itself")
}

/// What to do with a function of one kind that has the channel of another.
fn other_kind(kind: Kind, found: Kind) -> String {
    let name = name(found);
    format!("a {kind} has no `{name}`: mark the function `#[treewright::{found}]`")
}

/// The type without brackets around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        ty => ty,
    }
}

/// The kind of function that has `ty` as its channel, by its name.
fn as_channel(ty: &Type) -> Option<(Kind, &Path)> {
    let Type::Path(path) = bare(ty) else {
        return None;
    };
    let last = &path.path.segments.last()?.ident;
    let kinds = [Kind::Context, Kind::Stream];
    let kind = kinds.into_iter().find(|kind| last == name(*kind))?;
    Some((kind, &path.path))
}

/// What goes through the channel `path`; what is not said is nothing.
fn types(kind: Kind, path: &Path, faults: &mut Faults) -> syn::Result<Vec<Type>> {
    let roles = role_names(kind);
    let wrong = |span: Span| {
        let (name, roles) = (name(kind), roles.join(", "));
        Error::new(
            span,
            format!("the types of the channel are `{name}<{roles}>`"),
        )
    };
    let mut types = Vec::new();
    if let Some(PathArguments::AngleBracketed(list)) =
        path.segments.last().map(|last| &last.arguments)
    {
        for argument in &list.args {
            match argument {
                GenericArgument::Type(ty) if types.len() < roles.len() => types.push(ty.clone()),
                other => return Err(wrong(other.span())),
            }
        }
    }
    if kind == Kind::Stream && types.is_empty() {
        return Err(wrong(path.span()));
    }
    let rule = "what goes through a channel goes to another process and is owned";
    for ty in &types {
        check_tokens(ty.to_token_stream(), rule, faults);
    }
    types.resize_with(roles.len(), || parse_quote!(()));
    Ok(types)
}
