//! What `wit-bindgen` makes of `wit/`: one module per world, one set of types.
//!
//! Generated and nothing else; the names a plugin uses are re-exported in
//! `lib.rs`.

pub mod imports {
    wit_bindgen::generate!({
        world: "plugin-imports",
        path: "../../wit/v0.1.0",
        generate_unused_types: true,
        generate_all,
        additional_derives: [PartialEq, ::cambist_sdk_derive::Wire],
        additional_derives_ignore: ["decimal"],
    });
}

macro_rules! world {
    ($module:ident, $world:literal, $path:literal $(, $with:literal)*) => {
        pub mod $module {
            wit_bindgen::generate!({
                world: $world,
                path: "../../wit/v0.1.0",
                with: {
                    "cambist:plugin/types@0.1.0": crate::bindings::imports::cambist::plugin::types,
                    "cambist:plugin/canonical@0.1.0": crate::bindings::imports::cambist::plugin::canonical,
                    $($with: crate::bindings::imports::cambist::plugin::assessments,)*
                    "cambist:plugin/log@0.1.0": crate::bindings::imports::cambist::plugin::log,
                },
                additional_derives: [PartialEq, ::cambist_sdk_derive::Wire],
                pub_export_macro: true,
                default_bindings_module: $path,
            });

        }
    };
}

world!(
    mapping,
    "mapping-plugin",
    "cambist_sdk::bindings::mapping",
    "cambist:plugin/assessments@0.1.0"
);
world!(policy, "policy-plugin", "cambist_sdk::bindings::policy");
world!(
    tax,
    "tax-plugin",
    "cambist_sdk::bindings::tax",
    "cambist:plugin/assessments@0.1.0"
);
world!(invoicing, "invoicing-plugin", "cambist_sdk::bindings::invoicing");
