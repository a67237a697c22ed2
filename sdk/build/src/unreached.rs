//! Empties the functions of a module that nothing can reach.
//!
//! Once the `cabi_post_…` exports are left out ([`post_return`](crate::post_return)), the
//! functions behind them stand in the module for nothing, and a host would compile them all
//! the same: 3 % of a mapping's code. They keep their places, so that no other function gets
//! another number, and hold a trap.
//!
//! # What counts as reached
//!
//! What is exported, starts the module, is named by a segment of a table or by the value of a
//! global, and whatever such a function names. Names in code that never runs count too.

use wasm_encoder::{
    CodeSection, Function, Instruction, Module,
    reencode::{self, Reencode},
};
use wasmparser::{
    BinaryReaderError, ConstExpr, ElementItems, ExternalKind, FunctionBody, Operator, Parser, Payload,
    TypeRef,
};

/// A core module in which functions that nothing reaches do nothing; everything else as it
/// was.
///
/// # Errors
///
/// It is no WebAssembly module.
pub(crate) fn emptied(core: &[u8]) -> Result<Vec<u8>, String> {
    let calls = Calls::of(core).map_err(|error| error.to_string())?;
    let mut emptied = Module::new();
    Emptied {
        reached: calls.reached(),
        next: calls.imported,
    }
    .parse_core_module(&mut emptied, Parser::new(0), core)
    .map_err(|error| error.to_string())?;
    Ok(emptied.finish())
}

/// Which function names which.
#[derive(Default)]
struct Calls {
    imported: usize,
    /// Those that are reached from outside of all functions.
    roots: Vec<u32>,
    /// Of each function that is not imported, those that it names.
    named: Vec<Vec<u32>>,
}

impl Calls {
    fn of(core: &[u8]) -> Result<Self, BinaryReaderError> {
        let mut calls = Self::default();
        for payload in Parser::new(0).parse_all(core) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let is_function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                        calls.imported += usize::from(is_function);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                            calls.roots.push(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => calls.roots.push(func),
                Payload::GlobalSection(section) => {
                    for global in section {
                        calls.constant(&global?.init_expr)?;
                    }
                }
                Payload::TableSection(section) => {
                    for table in section {
                        if let wasmparser::TableInit::Expr(value) = table?.init {
                            calls.constant(&value)?;
                        }
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        match element?.items {
                            ElementItems::Functions(functions) => {
                                for function in functions {
                                    calls.roots.push(function?);
                                }
                            }
                            ElementItems::Expressions(_, values) => {
                                for value in values {
                                    calls.constant(&value?)?;
                                }
                            }
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut named = Vec::new();
                    for operator in body.get_operators_reader()? {
                        named.extend(function_in(&operator?));
                    }
                    calls.named.push(named);
                }
                _ => {}
            }
        }
        Ok(calls)
    }

    fn constant(&mut self, value: &ConstExpr<'_>) -> Result<(), BinaryReaderError> {
        for operator in value.get_operators_reader() {
            self.roots.extend(function_in(&operator?));
        }
        Ok(())
    }

    /// For each function, the imported ones first, whether it is reached.
    fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.imported + self.named.len()];
        let mut open = self.roots.clone();
        while let Some(function) = open.pop() {
            let function = function as usize;
            match reached.get_mut(function) {
                Some(reached) if !*reached => *reached = true,
                _ => continue,
            }
            let own = function.checked_sub(self.imported);
            open.extend(own.and_then(|own| self.named.get(own)).into_iter().flatten());
        }
        reached
    }
}

/// The function that an instruction names.
fn function_in(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index } => Some(*function_index),
        _ => None,
    }
}

struct Emptied {
    reached: Vec<bool>,
    /// The function whose code is read next.
    next: usize,
}

impl Reencode for Emptied {
    type Error = std::convert::Infallible;

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), reencode::Error<Self::Error>> {
        let is_reached = self.reached.get(self.next) != Some(&false);
        self.next += 1;
        if is_reached {
            return reencode::utils::parse_function_body(self, code, body);
        }
        let mut trap = Function::new([]);
        trap.instruction(&Instruction::Unreachable)
            .instruction(&Instruction::End);
        code.function(&trap);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The sizes of a module's functions: a trap has three bytes.
    fn sizes(core: &[u8]) -> Vec<usize> {
        let bodies = Parser::new(0)
            .parse_all(core)
            .filter_map(|payload| match payload.unwrap() {
                Payload::CodeSectionEntry(body) => Some(body.range().len()),
                _ => None,
            });
        bodies.collect()
    }

    #[test]
    fn what_can_be_reached_stays_and_the_rest_becomes_a_trap() {
        let core = wat::parse_str(
            r#"(module
                (import "host" "log" (func $log))
                (table 1 1 funcref)
                (global funcref (ref.func $in-a-global))
                (elem (i32.const 0) $in-a-table)
                (start $start)
                (func (export "run") (result i32) call $log (call $called))
                (func $called (result i32) (i32.const 7) (call $named) drop)
                (func $in-a-table (result i32) i32.const 1)
                (func $in-a-global (result i32) i32.const 2)
                (func $named (result i32) i32.const 3)
                (func $start i32.const 4 drop)
                (func $alone (result i32) (call $by-that))
                (func $by-that (result i32) (call $alone))
            )"#,
        )
        .unwrap();
        let emptied = emptied(&core).unwrap();
        wasmparser::validate(&emptied).unwrap();
        let (before, after) = (sizes(&core), sizes(&emptied));
        assert_eq!(after.get(..6), before.get(..6));
        assert_eq!(after.get(6..), Some(&[3, 3][..]));
        assert_ne!(before.get(6..), after.get(6..));
    }
}
