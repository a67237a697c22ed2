//! Leaves out what a call would do after its answer was read.
//!
//! `wit-bindgen` exports a function `cabi_post_…` beside each of the contract's,
//! which the host calls to have the answer's memory given back. A plugin's instance
//! ends with the call, and its memory with it, so that call is for nothing; without
//! the export the component has none. A call of the benchmark's mapping is 1 to 2 %
//! cheaper so.

use wasm_encoder::{
    ExportSection, Module,
    reencode::{self, Reencode},
};
use wasmparser::{Export, Parser};

struct WithoutPostReturn;

impl Reencode for WithoutPostReturn {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: Export<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        if export.name.starts_with("cabi_post_") {
            return Ok(());
        }
        reencode::utils::parse_export(self, exports, export)
    }
}

/// A core module without its `cabi_post_…` exports; everything else as it was.
///
/// # Errors
///
/// It is no WebAssembly module.
pub(crate) fn left_out(core: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = Module::new();
    WithoutPostReturn
        .parse_core_module(&mut module, Parser::new(0), core)
        .map_err(|error| error.to_string())?;
    Ok(module.finish())
}
