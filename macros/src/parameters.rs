//! The arguments of a function that is called from other processes.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, Ident, Pat, PatIdent, Type};

use crate::channel;
use crate::kind::Kind;
use crate::signature::Faults;

/// So many arguments a tuple of serde's and of std's traits can have.
const MOST: usize = 12;

/// One argument: `name: type`.
pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// Reads the arguments that a caller gives, and refuses those that cannot come from another process.
pub(crate) fn read(kind: Kind, inputs: &[&FnArg], faults: &mut Faults) -> Vec<Parameter> {
    if inputs.len() > MOST {
        faults.add(Error::new(
            inputs[MOST].span(),
            format!(
                "a {kind} has at most {MOST} arguments, and this one has {}: put some of them in a struct",
                inputs.len()
            ),
        ));
    }
    inputs
        .iter()
        .filter_map(|input| match input {
            FnArg::Receiver(receiver) => {
                faults.add(Error::new(
                    receiver.span(),
                    format!(
                        "a {kind} has no `self`: make it a function outside of the `impl`, and hand \
                         over what it needs as an argument"
                    ),
                ));
                None
            }
            FnArg::Typed(typed) => {
                match channel::misplaced(kind, &typed.ty) {
                    Some(advice) => faults.add(Error::new(typed.ty.span(), advice)),
                    None => check_owned(kind, &typed.ty, faults),
                }
                if let Some(attribute) = typed.attrs.first() {
                    faults.add(Error::new(
                        attribute.span(),
                        format!("an argument of a {kind} has no attributes: put them on the function"),
                    ));
                }
                let name = name_of(kind, &typed.pat, faults)?;
                Some(Parameter {
                    name,
                    ty: (*typed.ty).clone(),
                })
            }
        })
        .collect()
}

fn name_of(kind: Kind, pattern: &Pat, faults: &mut Faults) -> Option<Ident> {
    let advice = match pattern {
        Pat::Ident(PatIdent {
            by_ref: None,
            subpat: None,
            ident,
            ..
        }) => return Some(ident.clone()),
        Pat::Wild(_) => "has a name, by which files give it: `_unused` would be one",
        _ => "is one name, by which files give it: take it apart in the body, with `let`",
    };
    let fault = format!("an argument of a {kind} {advice}");
    faults.add(Error::new(pattern.span(), fault));
    None
}

/// Refuses an argument that is borrowed, or has no one type.
fn check_owned(kind: Kind, ty: &Type, faults: &mut Faults) {
    let rule = format!("an argument of a {kind} comes from another process and is owned");
    if let Type::Reference(reference) = ty {
        let advice = match reference.mutability {
            Some(_) => "take the value and return it changed".to_owned(),
            None => format!("take {}", owned_form(&reference.elem)),
        };
        faults.add(Error::new(ty.span(), format!("{rule}: {advice}")));
        return;
    }
    check_tokens(ty.to_token_stream(), &rule, faults);
}

/// What to take in place of a reference to `target`.
fn owned_form(target: &Type) -> String {
    let text = plain_text(target);
    match text.as_str() {
        "str" => "a `String`".to_owned(),
        "Path" | "std::path::Path" => "a `PathBuf`".to_owned(),
        "OsStr" | "std::ffi::OsStr" => "an `OsString`".to_owned(),
        "[u8]" => "a `Vec<u8>`, or faster a `serde_bytes::ByteBuf`".to_owned(),
        other => match other.strip_prefix('[') {
            Some(slice) if !slice.contains(';') => {
                format!("a `Vec<{}>`", slice.trim_end_matches(']'))
            }
            _ => format!("`{other}` itself"),
        },
    }
}

/// The type as one would write it, for the usual types.
pub(crate) fn plain_text(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
}

/// Refuses borrowing, `impl Trait` and `_` anywhere in a type.
pub(crate) fn check_tokens(tokens: TokenStream, rule: &str, faults: &mut Faults) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let (span, advice): (Span, &str) = match &token {
            TokenTree::Group(group) => {
                check_tokens(group.stream(), rule, faults);
                continue;
            }
            TokenTree::Punct(mark) if mark.as_char() == '&' => {
                (mark.span(), "use an owned type in place of the reference")
            }
            TokenTree::Punct(mark) if mark.as_char() == '\'' => match tokens.next() {
                Some(TokenTree::Ident(name)) if name != "static" => {
                    (name.span(), "use an owned type, or `'static`")
                }
                _ => continue,
            },
            TokenTree::Ident(word) if word == "impl" => (
                word.span(),
                "name the type in place of `impl`, since the other process has to know it",
            ),
            TokenTree::Ident(word) if word == "_" => (word.span(), "write the type out"),
            _ => continue,
        };
        faults.add(Error::new(span, format!("{rule}: {advice}")));
        // One fault a type is enough to go by.
        return;
    }
}
