//! `#[derive(Wire)]`: JSON for the types that `wit-bindgen` generates.
//!
//! Cases are JSON in the words of the WIT (`unit-price`, `reverse-charge`), and
//! the generated types can carry no serde attributes of their own. The derive
//! lets serde's derive run on a copy of the type that has them. Not for types
//! written by hand.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Type, parse_macro_input, parse_quote};

/// Implements `serde::Serialize` and `serde::Deserialize` with kebab-case names.
///
/// A field that holds a list may be left out, and so may an option: both are
/// left out when they hold nothing. A field of the WIT type `json` stands there
/// as JSON, not as text in quotes. `ref` is `ref`, although Rust calls it `ref_`.
#[proc_macro_derive(Wire)]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let mut item = parse_macro_input!(input as DeriveInput);
    let ident = item.ident.clone();
    let name = ident.to_string();
    item.attrs.clear();
    item.attrs
        .push(parse_quote!(#[serde(rename_all = "kebab-case", deny_unknown_fields, remote = #name)]));
    item.ident = quote::format_ident!("{name}Wire");
    match &mut item.data {
        Data::Struct(data) => {
            for field in &mut data.fields {
                field.attrs.clear();
                if field.ident.as_ref().is_some_and(|ident| ident == "ref_") {
                    field.attrs.push(parse_quote!(#[serde(rename = "ref")]));
                }
                let skip = match outer_name(&field.ty).as_deref() {
                    Some("Json") => {
                        field
                            .attrs
                            .push(parse_quote!(#[serde(with = "::cambist_sdk::json_text")]));
                        continue;
                    }
                    Some("Vec") => "::std::vec::Vec::is_empty",
                    Some("Option") => "::std::option::Option::is_none",
                    _ => continue,
                };
                field
                    .attrs
                    .push(parse_quote!(#[serde(default, skip_serializing_if = #skip)]));
            }
        }
        Data::Enum(data) => {
            for variant in &mut data.variants {
                variant.attrs.clear();
            }
        }
        Data::Union(_) => {}
    }
    let shadow = item.ident.clone();
    quote! {
        const _: () = {
            use ::cambist_sdk::serde as serde;
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(crate = "::cambist_sdk::serde")]
            #[allow(dead_code, reason = "serde reads the copy's shape, nobody builds it")]
            #item
            impl serde::Serialize for #ident {
                fn serialize<S: serde::Serializer>(&self, to: S) -> ::core::result::Result<S::Ok, S::Error> {
                    #shadow::serialize(self, to)
                }
            }
            impl<'de> serde::Deserialize<'de> for #ident {
                fn deserialize<D: serde::Deserializer<'de>>(from: D) -> ::core::result::Result<Self, D::Error> {
                    #shadow::deserialize(from)
                }
            }
        };
    }
    .into()
}

/// The last segment of a type's path: `Vec` of `_rt::Vec<T>`.
fn outer_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    Some(path.path.segments.last()?.ident.to_string())
}
