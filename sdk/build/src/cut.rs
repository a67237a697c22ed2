//! Cuts the plugin out of what another language's tool has made.
//!
//! Tools for JavaScript and Python put a whole runtime into the component, and the
//! runtime is built against WASI, which no plugin is granted. Some cover that up with
//! further components that stand beside the plugin's own and trap, or serve the tool
//! while it builds; the host takes a plugin of one component only. So the component
//! that exports the contract's interfaces is taken by itself, and each function that
//! it imports from elsewhere than the contract becomes one that traps when it is
//! called. What else it exports is left out: a tool's own door into the runtime.
//!
//! # What is not here
//!
//! Modules are copied byte for byte; nothing is optimised or stripped.
//!
//! # How
//!
//! An import that goes takes its type, its aliases and the canonical functions made of
//! them along, and the indices behind them move up. A core function keeps its index:
//! in the place of the lowered import stands an alias of a function of a small module
//! in front, whose type is read off where it is used.

mod cutter;
mod uses;

use std::{collections::BTreeMap, ops::Range};

use wasm_encoder::{
    CodeSection, Component, ExportKind, ExportSection, Function, FunctionSection, InstanceSection, Module,
    ModuleArg, ModuleSection, TypeSection, ValType, reencode::ReencodeComponent as _,
};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentTypeRef,
    Encoding, ExternalKind, FuncType, Parser, Payload, Validator,
};

use self::{cutter::Cutter, uses::Uses};

/// The contract's package: what is imported from it stays.
pub(crate) const CONTRACT: &str = "cambist:plugin/";

/// The plugin's own component, with nothing but the contract's interfaces around it.
/// A component that is so already comes back as it was.
///
/// # Errors
///
/// There is no component that exports an interface of the contract, or several, or it
/// is put together in a way that no tool is known to use.
pub(crate) fn out(component: &[u8]) -> Result<Vec<u8>, String> {
    let range = plugin(component)?;
    let own = component.get(range).unwrap_or_default();
    let found = Found::read(own)?;
    if own.len() == component.len() && found.gone.instances.is_empty() {
        return Ok(component.to_vec());
    }
    let mut cut = Component::new();
    cut.section(&ModuleSection(&found.stubs()?));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, Vec::<(&str, ModuleArg)>::new());
    cut.section(&instances);
    let mut cutter = Cutter {
        found: &found,
        depth: 0,
        seen: Seen::default(),
    };
    cutter
        .parse_component(&mut cut, Parser::new(0), own)
        .map_err(|error| error.to_string())?;
    let cut = cut.finish();
    Validator::new()
        .validate_all(&cut)
        .map_err(|error| format!("it is put together in an unknown way: {error}"))?;
    Ok(cut)
}

/// Where the component stands that exports the contract and has code.
fn plugin(bytes: &[u8]) -> Result<Range<usize>, String> {
    struct Open {
        start: usize,
        exports: bool,
        code: bool,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut fit: Vec<Range<usize>> = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(|error| error.to_string())? {
            Payload::Version { encoding, range, .. } => {
                if encoding == Encoding::Module
                    && let Some(around) = open.last_mut()
                {
                    around.code = true;
                }
                open.push(Open {
                    start: range.start,
                    exports: false,
                    code: false,
                });
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let name = export.map_err(|error| error.to_string())?.name.name;
                    if let Some(around) = open.last_mut() {
                        around.exports |= name.starts_with(CONTRACT);
                    }
                }
            }
            Payload::End(end) => {
                if let Some(it) = open.pop()
                    && it.exports
                    && it.code
                {
                    fit.push(it.start..end);
                }
            }
            _ => {}
        }
    }
    match fit.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!(
            "no component in it has code and exports an interface of {CONTRACT}"
        )),
        _ => Err(format!(
            "{} components in it export an interface of {CONTRACT}",
            fit.len()
        )),
    }
}

/// Which indices go. Of each space, in order.
#[derive(Debug, Default)]
struct Gone {
    types: Vec<u32>,
    functions: Vec<u32>,
    instances: Vec<u32>,
}

impl Gone {
    /// Whether an alias is of something in an instance that goes.
    fn holds(&self, alias: &ComponentAlias<'_>) -> bool {
        matches!(alias, ComponentAlias::InstanceExport { instance_index, .. }
            if self.instances.contains(instance_index))
    }

    /// The next of its kind goes.
    fn next(&mut self, kind: ComponentExternalKind, seen: &Seen) {
        match kind {
            ComponentExternalKind::Type => self.types.push(seen.types),
            ComponentExternalKind::Func => self.functions.push(seen.functions),
            ComponentExternalKind::Instance => self.instances.push(seen.instances),
            _ => {}
        }
    }
}

/// How many of a space have been seen.
#[derive(Debug, Default)]
struct Seen {
    types: u32,
    functions: u32,
    instances: u32,
    core_functions: u32,
}

/// What has to be known before the first byte is written.
#[derive(Debug, Default)]
struct Found {
    gone: Gone,
    /// The core functions that are to trap, each with the type it is used as.
    traps: BTreeMap<u32, Option<FuncType>>,
}

impl Found {
    fn read(component: &[u8]) -> Result<Self, String> {
        let mut found = Self::default();
        let mut seen = Seen::default();
        let mut uses = Uses::default();
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.map_err(|error| error.to_string())?;
            match payload {
                Payload::Version { encoding, .. } => {
                    if depth == 1 && encoding == Encoding::Module {
                        uses.begin();
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::TypeSection(_) | Payload::ImportSection(_) if depth == 2 => {
                    uses.section(payload).map_err(|error| error.to_string())?;
                }
                payload if depth == 1 => found
                    .section(payload, &mut seen, &mut uses)
                    .map_err(|error| error.to_string())?,
                _ => {}
            }
        }
        for (function, ty) in uses.of_functions() {
            if let Some(known) = found.traps.get_mut(&function) {
                *known = Some(ty.clone());
            }
        }
        Ok(found)
    }

    fn section(&mut self, payload: Payload<'_>, seen: &mut Seen, uses: &mut Uses) -> wasmparser::Result<()> {
        match payload {
            Payload::ComponentTypeSection(types) => seen.types += types.count(),
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let import = import?;
                    if let ComponentTypeRef::Instance(ty) = import.ty
                        && !import.name.name.starts_with(CONTRACT)
                    {
                        self.gone.types.push(ty);
                        self.gone.next(ComponentExternalKind::Instance, seen);
                    }
                    seen.component(import.ty.kind());
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    self.alias(&alias?, seen);
                }
            }
            Payload::ComponentInstanceSection(instances) => seen.instances += instances.count(),
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    // an export is an index of its own
                    if !export.name.name.starts_with(CONTRACT) {
                        self.gone.next(export.kind, seen);
                    }
                    seen.component(export.kind);
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    let function = function?;
                    if self.traps(&function) {
                        self.traps.insert(seen.core_functions, None);
                    }
                    seen.canonical(&function);
                }
            }
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    uses.instance(instance?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>, seen: &mut Seen) {
        if self.gone.holds(alias)
            && let ComponentAlias::InstanceExport { kind, .. } = alias
        {
            self.gone.next(*kind, seen);
        }
        seen.alias(alias);
    }

    /// Whether a canonical function is made of what goes.
    fn traps(&self, function: &CanonicalFunction) -> bool {
        match function {
            CanonicalFunction::Lower { func_index, .. } => self.gone.functions.contains(func_index),
            CanonicalFunction::ResourceDrop { resource } => self.gone.types.contains(resource),
            _ => false,
        }
    }

    /// The module whose functions trap, each exported by the index it stands for.
    fn stubs(&self) -> Result<Module, String> {
        let value = |ty: &wasmparser::ValType| match ty {
            wasmparser::ValType::I32 => Ok(ValType::I32),
            wasmparser::ValType::I64 => Ok(ValType::I64),
            wasmparser::ValType::F32 => Ok(ValType::F32),
            wasmparser::ValType::F64 => Ok(ValType::F64),
            other => Err(format!("an import takes or gives a {other}")),
        };
        let values = |types: &[wasmparser::ValType]| types.iter().map(value).collect::<Result<Vec<_>, _>>();
        let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
        let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
        for (at, (function, ty)) in (0..).zip(&self.traps) {
            // what no module uses may have any type
            let (params, results) = ty
                .as_ref()
                .map_or((&[][..], &[][..]), |ty| (ty.params(), ty.results()));
            types.ty().function(values(params)?, values(results)?);
            functions.function(at);
            exports.export(&function.to_string(), ExportKind::Func, at);
            let mut body = Function::new([]);
            body.instructions().unreachable().end();
            code.function(&body);
        }
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        Ok(module)
    }
}

impl Seen {
    fn component(&mut self, kind: ComponentExternalKind) {
        match kind {
            ComponentExternalKind::Type => self.types += 1,
            ComponentExternalKind::Func => self.functions += 1,
            ComponentExternalKind::Instance => self.instances += 1,
            _ => {}
        }
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport { kind, .. } => self.component(*kind),
            ComponentAlias::CoreInstanceExport { kind, .. } => {
                self.core_functions += u32::from(*kind == ExternalKind::Func);
            }
            ComponentAlias::Outer { kind, .. } => {
                self.types += u32::from(*kind == ComponentOuterAliasKind::Type);
            }
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { .. } => self.functions += 1,
            _ => self.core_functions += 1,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A plugin as a tool for JavaScript makes it: beside its own component one that
    /// stands in for WASI, and an export for the tool's own use.
    const COMPOSED: &str = r#"
    (component $outer
      (import "cambist:plugin/log@0.1.0" (instance $log (export "write" (func (param "n" u64)))))
      (component $plugin
        (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
        (alias export $errors "error" (type $error))
        (import "wasi:io/streams@0.2.0" (instance $streams
          (alias outer $plugin $error (type $error'))
          (export "error" (type $e (eq $error')))
          (export "close" (func (param "e" (borrow $e)) (param "n" f64)))))
        (import "cambist:plugin/log@0.1.0" (instance $log (export "write" (func (param "n" u64)))))
        (core module $main
          (import "wasi" "close" (func (param i32 f64)))
          (import "wasi" "drop" (func (param i32)))
          (import "log" "write" (func $write (param i64)))
          (func (export "read") (result i32) (call $write (i64.const 7)) (i32.const 7)))
        (core func $close (canon lower (func $streams "close")))
        (core func $drop (canon resource.drop $error))
        (core func $write (canon lower (func $log "write")))
        (core instance $of-wasi (export "close" (func $close)) (export "drop" (func $drop)))
        (core instance $of-log (export "write" (func $write)))
        (core instance $made (instantiate $main (with "wasi" (instance $of-wasi)) (with "log" (instance $of-log))))
        (func $read (result u32) (canon lift (core func $made "read")))
        (export "init" (func $read))
        (instance $mapping (export "read" (func $read)))
        (export "cambist:plugin/mapping@0.1.0" (instance $mapping)))
      (component $stubs
        (core module $main (func (export "close") (param i32 f64) unreachable))
        (core instance $made (instantiate $main))
        (type $error' (resource (rep i32)))
        (export $error "error" (type $error'))
        (func $close (param "e" (borrow $error)) (param "n" f64) (canon lift (core func $made "close")))
        (instance $errors (export "error" (type $error)))
        (instance $streams (export "error" (type $error)) (export "close" (func $close)))
        (export "errors" (instance $errors))
        (export "streams" (instance $streams)))
      (instance $stubbed (instantiate $stubs))
      (instance $whole (instantiate $plugin
        (with "wasi:io/error@0.2.0" (instance $stubbed "errors"))
        (with "wasi:io/streams@0.2.0" (instance $stubbed "streams"))
        (with "cambist:plugin/log@0.1.0" (instance $log))))
      (export "cambist:plugin/mapping@0.1.0" (instance $whole "cambist:plugin/mapping@0.1.0")))"#;

    /// What a component imports and exports, and how many components with code stand in it.
    fn looks(component: &[u8]) -> (Vec<String>, Vec<String>, usize) {
        let (mut imports, mut exports, mut nested, mut depth) = (Vec::new(), Vec::new(), 0, 0);
        for payload in Parser::new(0).parse_all(component) {
            match payload.unwrap() {
                Payload::Version { encoding, .. } => {
                    nested += usize::from(encoding == Encoding::Module && depth > 1);
                    depth += 1;
                }
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(section) if depth == 1 => {
                    imports.extend(section.into_iter().map(|it| it.unwrap().name.name.to_owned()));
                }
                Payload::ComponentExportSection(section) if depth == 1 => {
                    exports.extend(section.into_iter().map(|it| it.unwrap().name.name.to_owned()));
                }
                _ => {}
            }
        }
        (imports, exports, nested)
    }

    #[test]
    fn a_plugin_is_left_with_the_contract_alone() {
        let composed = wat::parse_str(COMPOSED).unwrap();
        assert_eq!(looks(&composed).2, 2);
        let cut = out(&composed).unwrap();
        let contract = |name: &str| vec![format!("cambist:plugin/{name}@0.1.0")];
        assert_eq!(looks(&cut), (contract("log"), contract("mapping"), 0));
        // and then there is nothing to cut
        assert_eq!(out(&cut).unwrap(), cut);
    }

    #[test]
    fn what_is_no_plugin_is_refused() {
        assert!(out(b"\0asm").is_err());
        let module = wat::parse_str("(module)").unwrap();
        assert!(out(&module).unwrap_err().contains("no component in it"));
        let component = wat::parse_str("(component (core module))").unwrap();
        assert!(out(&component).unwrap_err().contains("no component in it"));
    }
}
