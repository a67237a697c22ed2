//! The macro that turns a type into a component's exports.
//!
//! Elsewhere than in WebAssembly there is nothing to export to, and a linker
//! there refuses names such as `cambist:plugin/tax@0.1.0#assess`; a native build
//! (tests) checks the types and leaves the symbols out.

/// Exports a plugin: `export!(HubSpot: mapping);`, or several interfaces at
/// once: `export!(Pack: policy, tax);`. Once in a crate.
#[macro_export]
macro_rules! export {
    ($plugin:ident: $($interface:ident),+ $(,)?) => {
        #[doc(hidden)]
        pub struct CambistExports;
        $($crate::export_interface!($plugin, $interface);)+
    };
}

/// One interface of [`export!`](crate::export).
#[doc(hidden)]
#[macro_export]
macro_rules! export_interface {
    ($plugin:ident, mapping) => {
        const _: () = {
            use $crate::{bindings::mapping, plugin, prelude};
            impl mapping::exports::cambist::plugin::mapping::Guest for CambistExports {
                fn read(
                    context: prelude::Context,
                    input: plugin::Inbound,
                ) -> prelude::Result<Vec<prelude::Change>> {
                    $crate::panic::report_to_host();
                    <$plugin as plugin::Mapping>::read(&context, input)
                }
                fn write(
                    context: prelude::Context,
                    input: plugin::Outbound,
                ) -> prelude::Result<plugin::Plan> {
                    $crate::panic::report_to_host();
                    <$plugin as plugin::Mapping>::write(&context, input)
                }
            }
            #[cfg(target_arch = "wasm32")]
    mapping::export!(CambistExports with_types_in mapping);
        };
    };
    ($plugin:ident, policy) => {
        const _: () = {
            use $crate::{bindings::policy, plugin, prelude};
            impl policy::exports::cambist::plugin::policy::Guest for CambistExports {
                fn judge(
                    context: prelude::Context,
                    proposal: plugin::Proposal,
                ) -> prelude::Result<plugin::Verdict> {
                    $crate::panic::report_to_host();
                    <$plugin as plugin::Policy>::judge(&context, proposal)
                }
            }
            #[cfg(target_arch = "wasm32")]
    policy::export!(CambistExports with_types_in policy);
        };
    };
    ($plugin:ident, tax) => {
        const _: () = {
            use $crate::{bindings::tax, plugin, prelude};
            impl tax::exports::cambist::plugin::tax::Guest for CambistExports {
                fn assess(
                    context: prelude::Context,
                    document: plugin::Document,
                ) -> prelude::Result<prelude::Assessment> {
                    $crate::panic::report_to_host();
                    <$plugin as plugin::Tax>::assess(&context, document)
                }
            }
            #[cfg(target_arch = "wasm32")]
    tax::export!(CambistExports with_types_in tax);
        };
    };
    ($plugin:ident, invoicing) => {
        const _: () = {
            use $crate::{bindings::invoicing, plugin, prelude};
            impl invoicing::exports::cambist::plugin::invoicing::Guest for CambistExports {
                fn draft_invoice(
                    context: prelude::Context,
                    billable: plugin::Billable,
                ) -> prelude::Result<plugin::Draft> {
                    $crate::panic::report_to_host();
                    <$plugin as plugin::Invoicing>::draft_invoice(&context, billable)
                }
            }
            #[cfg(target_arch = "wasm32")]
    invoicing::export!(CambistExports with_types_in invoicing);
        };
    };
}
