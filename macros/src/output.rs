//! What a function returns.

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Error, GenericArgument, PathArguments, ReturnType, Type, parse_quote};

use crate::kind::Kind;
use crate::parameters::check_tokens;
use crate::signature::Faults;

/// What a function returns.
pub(crate) struct Output {
    pub(crate) ty: Type,
    /// Whether it is one of the types called `…Result`.
    pub(crate) is_fallible: bool,
}

impl Output {
    /// Reads the type as it stands.
    pub(crate) fn of(output: &ReturnType) -> Self {
        let ty = match output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let is_fallible = is_result(&ty);
        Self { ty, is_fallible }
    }

    /// Refuses a type that cannot go to another process.
    pub(crate) fn check(&self, kind: Kind, faults: &mut Faults) {
        if let Type::Never(never) = &self.ty {
            faults.add(Error::new(
                never.span(),
                format!("a {kind} has a result, if only `()`: one that is never to return is cancelled from outside"),
            ));
        }
        if kind == Kind::Stream && !self.may_be_nothing() {
            faults.add(Error::new(
                self.ty.span(),
                "a stream gives no value but its items: it returns `()`, or a `Result<()>` if it can fail",
            ));
        }
        check_tokens(
            self.value().to_token_stream(),
            &format!("the result of a {kind} goes to another process and is owned"),
            faults,
        );
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_unit(&self) -> bool {
        is_unit(&self.ty)
    }

    /// Whether what is there when it went well is nothing, or does not show.
    fn may_be_nothing(&self) -> bool {
        is_unit(self.value()) || (self.is_fallible && std::ptr::eq(self.value(), &self.ty))
    }

    /// Refuses a type that is not written out.
    pub(crate) fn check_named(&self, what: &str, faults: &mut Faults) {
        if let Type::ImplTrait(ty) = &self.ty {
            faults.add(Error::new(
                ty.span(),
                format!("the type that {what} returns has to be written out"),
            ));
        }
    }

    /// What is there when it went well, as far as one can see it. An error is told by its
    /// texts, and may borrow from the program.
    fn value(&self) -> &Type {
        let arguments = match &self.ty {
            Type::Path(path) if self.is_fallible => {
                path.path.segments.last().map(|segment| &segment.arguments)
            }
            _ => None,
        };
        match arguments {
            Some(PathArguments::AngleBracketed(list)) => match list.args.first() {
                Some(GenericArgument::Type(value)) => value,
                _ => &self.ty,
            },
            _ => &self.ty,
        }
    }
}

fn is_unit(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Never(_) => true,
        _ => false,
    }
}

/// Whether the last word of the type's path ends in `Result`.
fn is_result(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident.to_string().ends_with("Result")),
        Type::Paren(inner) => is_result(&inner.elem),
        Type::Group(inner) => is_result(&inner.elem),
        _ => false,
    }
}
