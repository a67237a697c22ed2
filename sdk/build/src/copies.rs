//! Has a plugin copy memory by a function of its own.
//!
//! The compiler writes `memory.copy` for nearly all copies, and whoever switches that off
//! (`-Ctarget-feature=-bulk-memory`) still gets it, because the standard library was built
//! with it and the linker's optimiser gives all functions the features of each. In a host it
//! is a call out of the plugin, dearer than most of what is copied. The SDK has a function
//! for it (`sdk/rust/src/memory.rs`), which the module exports under [`OWN`]; here each
//! `memory.copy` becomes a call of it, and the export goes.
//!
//! What has a small constant size stays: hosts copy it in place.

use wasm_encoder::{
    CodeSection, ExportSection, Instruction, Module,
    reencode::{self, Reencode},
};
use wasmparser::{
    BinaryReaderError, Export, ExternalKind, FunctionBody, Operator, OperatorsReader, Parser, Payload,
    TypeRef,
};

/// The name of the SDK's function.
const OWN: &str = "cambist_copy";

/// Bytes that wasmtime copies without a call, where their number is in the code.
const IN_PLACE: i32 = 128;

/// A core module whose copies are calls of its own function, if it has one; everything
/// else as it was.
///
/// # Errors
///
/// It is no WebAssembly module.
pub(crate) fn by_itself(core: &[u8]) -> Result<Vec<u8>, String> {
    let Some(mut copies) = Copies::of(core).map_err(|error| error.to_string())? else {
        return Ok(core.to_owned());
    };
    let mut module = Module::new();
    copies
        .parse_core_module(&mut module, Parser::new(0), core)
        .map_err(|error| error.to_string())?;
    Ok(module.finish())
}

struct Copies {
    /// The function that copies.
    own: u32,
    /// The function whose code is read next.
    next: u32,
    /// Whether the instruction before was a small constant.
    small: bool,
}

impl Copies {
    fn of(core: &[u8]) -> Result<Option<Self>, BinaryReaderError> {
        let (mut imported, mut own) = (0, None);
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let is_function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                        imported += u32::from(is_function);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if is_own(&export) {
                            own = Some(export.index);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(own.map(|own| Self {
            own,
            next: imported,
            small: false,
        }))
    }
}

fn is_own(export: &Export<'_>) -> bool {
    export.name == OWN && matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact)
}

impl Reencode for Copies {
    type Error = std::convert::Infallible;

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: Export<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        if is_own(&export) {
            return Ok(());
        }
        reencode::utils::parse_export(self, exports, export)
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        self.small = false;
        reencode::utils::parse_function_body(self, code, body)?;
        self.next += 1;
        Ok(())
    }

    fn parse_instruction<'a>(
        &mut self,
        reader: &mut OperatorsReader<'a>,
    ) -> Result<Instruction<'a>, reencode::Error<Self::Error>> {
        let operator = reader.read()?;
        let was_small = std::mem::replace(
            &mut self.small,
            matches!(operator, Operator::I32Const { value: 0..=IN_PLACE }),
        );
        match operator {
            Operator::MemoryCopy {
                dst_mem: 0,
                src_mem: 0,
            } if !was_small && self.next != self.own => Ok(Instruction::Call(self.own)),
            other => self.instruction(other),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// How each function copies: `c` by a call, `m` by the instruction.
    fn copies(core: &[u8]) -> Vec<String> {
        let bodies = Parser::new(0)
            .parse_all(core)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CodeSectionEntry(body) => Some(body),
                _ => None,
            });
        let of = |body: FunctionBody<'_>| {
            let operators = body.get_operators_reader().unwrap().into_iter();
            let copy = operators.filter_map(|operator| match operator.unwrap() {
                Operator::Call { function_index: 1 } => Some('c'),
                Operator::MemoryCopy { .. } => Some('m'),
                _ => None,
            });
            copy.collect()
        };
        bodies.map(of).collect()
    }

    const MODULE: &str = r#"(module
        (import "host" "log" (func $log))
        (memory 1)
        (func (export "NAME") (param i32 i32 i32)
            (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "run") (param i32)
            (memory.copy (i32.const 0) (i32.const 8) (local.get 0))
            (memory.copy (i32.const 0) (i32.const 8) (i32.const 128))
            (memory.copy (i32.const 0) (i32.const 8) (i32.const 129))
            (memory.copy (i32.const 0) (i32.const 8) (i32.const -1)))
    )"#;

    #[test]
    fn copies_become_calls_but_small_ones_and_the_functions_own() {
        let core = wat::parse_str(MODULE.replace("NAME", OWN)).unwrap();
        let made = by_itself(&core).unwrap();
        wasmparser::validate(&made).unwrap();
        assert_eq!(copies(&core), ["m", "mmmm"]);
        assert_eq!(copies(&made), ["m", "cmcc"]);
        let names = |core: &[u8]| String::from_utf8_lossy(core).contains(OWN);
        assert!(names(&core) && !names(&made));
    }

    #[test]
    fn a_module_without_the_function_stays_as_it_is() {
        let core = wat::parse_str(MODULE.replace("NAME", "another")).unwrap();
        assert_eq!(by_itself(&core).unwrap(), core);
    }
}
