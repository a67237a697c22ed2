//! As what a component's modules use a core function: the one place where the type of
//! a lowered import is written down.

use std::collections::BTreeMap;

use wasmparser::{CompositeInnerType, ExternalKind, FuncType, Instance, Payload, Result, TypeRef};

/// The functions that a module imports, by module and field.
type Imports = BTreeMap<(String, String), FuncType>;

/// What is known of the modules of a component and of how they are put together.
#[derive(Debug, Default)]
pub(super) struct Uses {
    modules: Vec<Imports>,
    instances: Vec<Made>,
    /// The types of the module that is being read.
    types: Vec<Option<FuncType>>,
}

/// How a core instance was made.
#[derive(Debug)]
enum Made {
    /// Of a module, with an instance for each of its imports' modules.
    Of(u32, Vec<(String, u32)>),
    /// Of core functions, by their names.
    From(Vec<(String, u32)>),
}

impl Uses {
    /// A module begins.
    pub(super) fn begin(&mut self) {
        self.modules.push(Imports::new());
        self.types.clear();
    }

    /// A section of the module.
    pub(super) fn section(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    let types = group?.into_types();
                    self.types.extend(types.map(|ty| match ty.composite_type.inner {
                        CompositeInnerType::Func(ty) => Some(ty),
                        _ => None,
                    }));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let import = import?;
                    if let TypeRef::Func(ty) | TypeRef::FuncExact(ty) = import.ty
                        && let Some(Some(ty)) = self.types.get(ty as usize)
                        && let Some(module) = self.modules.last_mut()
                    {
                        let name = (import.module.to_owned(), import.name.to_owned());
                        module.insert(name, ty.clone());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// An instance of the component.
    pub(super) fn instance(&mut self, instance: Instance<'_>) {
        self.instances.push(match instance {
            Instance::Instantiate { module_index, args } => {
                let args = args.iter().map(|arg| (arg.name.to_owned(), arg.index));
                Made::Of(module_index, args.collect())
            }
            Instance::FromExports(exports) => {
                let functions = exports.iter().filter(|export| export.kind == ExternalKind::Func);
                Made::From(
                    functions
                        .map(|export| (export.name.to_owned(), export.index))
                        .collect(),
                )
            }
        });
    }

    /// The core functions that modules import, with their types.
    pub(super) fn of_functions(&self) -> impl Iterator<Item = (u32, &FuncType)> {
        let made = self.instances.iter().filter_map(|made| match made {
            Made::Of(module, args) => Some((self.modules.get(*module as usize)?, args)),
            Made::From(_) => None,
        });
        made.flat_map(move |(imports, args)| {
            let given = args.iter().filter_map(|(module, instance)| {
                match self.instances.get(*instance as usize)? {
                    Made::From(functions) => Some((module, functions)),
                    Made::Of(..) => None,
                }
            });
            given.flat_map(move |(module, functions)| {
                functions.iter().filter_map(move |(name, function)| {
                    let ty = imports.get(&(module.clone(), name.clone()))?;
                    Some((*function, ty))
                })
            })
        })
    }
}
