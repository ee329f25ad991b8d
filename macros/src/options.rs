//! What stands in the brackets of an attribute.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::meta::{self, ParseNestedMeta};
use syn::parse::Parser as _;
use syn::{Expr, Ident, LitStr, Path, Token, parse_quote};

use crate::kind::Kind;

/// The options of `#[task]`, and of the attributes of the other kinds.
pub(crate) struct FunctionOptions {
    /// What the function is known by in place of its path.
    pub(crate) name: Option<LitStr>,
    pub(crate) is_public: bool,
    /// Where treewright is found.
    pub(crate) treewright: Path,
}

/// The options of `#[main]`, `#[test]` and `#[bootstrap]`.
pub(crate) struct EntryOptions {
    /// Where treewright is found.
    pub(crate) treewright: Path,
    /// Settings of the runtime: methods of its builder, and what they are given.
    pub(crate) settings: Vec<(Ident, Expr)>,
}

impl Default for EntryOptions {
    fn default() -> Self {
        Self {
            treewright: default_crate(),
            settings: Vec::new(),
        }
    }
}

impl EntryOptions {
    pub(crate) fn parse(tokens: TokenStream) -> syn::Result<Self> {
        let mut options = Self::default();
        let mut seen = Seen::default();
        let parser = meta::parser(|meta| {
            if seen.name(&meta)? == "crate" {
                options.treewright = meta.value()?.call(Path::parse_mod_style)?;
                return Ok(());
            }
            let name = meta.path.require_ident()?.clone();
            if !meta.input.peek(Token![=]) {
                return Err(meta.error(format!(
                    "the option `{name}` needs a value: `{name} = …`, as the method `{name}` of \
                     `treewright::RuntimeBuilder` takes it"
                )));
            }
            options.settings.push((name, meta.value()?.parse()?));
            Ok(())
        });
        parser.parse2(tokens)?;
        Ok(options)
    }
}

/// Where treewright is found unless said.
fn default_crate() -> Path {
    parse_quote!(::treewright)
}

impl FunctionOptions {
    pub(crate) fn parse(kind: Kind, tokens: TokenStream) -> syn::Result<Self> {
        let mut options = Self {
            name: None,
            is_public: false,
            treewright: default_crate(),
        };
        let mut seen = Seen::default();
        let parser = meta::parser(|meta| match seen.name(&meta)?.as_str() {
            "name" => {
                let name: LitStr = meta.value()?.parse()?;
                check_name(kind, &name)?;
                options.name = Some(name);
                Ok(())
            }
            "public" => {
                options.is_public = true;
                Ok(())
            }
            "crate" => {
                options.treewright = meta.value()?.call(Path::parse_mod_style)?;
                Ok(())
            }
            other => Err(meta.error(format!(
                "unknown option `{other}`: a {kind} has `name = \"…\"`, `public` and `crate = path`"
            ))),
        });
        parser.parse2(tokens)?;
        Ok(options)
    }
}

/// Refuses what no file and no error message could show as a name.
fn check_name(kind: Kind, name: &LitStr) -> syn::Result<()> {
    let text = name.value();
    let is_plain = !text.is_empty()
        && text
            .chars()
            .all(|character| !character.is_whitespace() && !character.is_control());
    match is_plain {
        true => Ok(()),
        false => Err(syn::Error::new(
            name.span(),
            format!("the name of a {kind} is not empty and has no spaces"),
        )),
    }
}

/// The options that were there already.
#[derive(Default)]
pub(crate) struct Seen(Vec<String>);

impl Seen {
    /// The name of the option `meta`, if it is there for the first time.
    pub(crate) fn name(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
        let name = match meta.path.get_ident() {
            Some(name) => name.unraw().to_string(),
            None => return Err(meta.error("an option is one word")),
        };
        if self.0.contains(&name) {
            return Err(meta.error(format!("the option `{name}` is there twice")));
        }
        self.0.push(name.clone());
        Ok(name)
    }
}

/// The name as it is read in a file: `r#type` is `type`.
pub(crate) fn plain(name: &Ident) -> LitStr {
    LitStr::new(&name.unraw().to_string(), Span::call_site())
}
