//! Writes a component again without what goes.

use std::convert::Infallible;

use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentExportSection,
    ComponentImportSection, ComponentSectionId, ComponentTypeSection, ExportKind, RawSection,
    reencode::{Error, Reencode, ReencodeComponent, component_utils},
};
use wasmparser::{
    ComponentAliasSectionReader, ComponentCanonicalSectionReader, ComponentExportSectionReader,
    ComponentImportSectionReader, ComponentTypeSectionReader, CustomSectionReader, Parser, Payload,
};

use super::{CONTRACT, Found, Gone, Seen};

/// Copies a component's sections one by one.
pub(super) struct Cutter<'f> {
    pub(super) found: &'f Found,
    /// How deep in a type we are: its own indices begin anew.
    pub(super) depth: u32,
    /// What has been read.
    pub(super) seen: Seen,
}

/// Where an index goes to when others before it go.
fn moved(index: u32, gone: &[u32]) -> u32 {
    let before = gone.iter().filter(|it| **it < index).count();
    // fewer than there are indices
    index - before as u32
}

impl Cutter<'_> {
    fn gone(&self) -> &Gone {
        &self.found.gone
    }

    /// A canonical function is what it was, or an alias of one that traps.
    fn canonical(
        &mut self,
        component: &mut Component,
        functions: ComponentCanonicalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for function in functions {
            let function = function?;
            if self.found.traps.contains_key(&self.seen.core_functions) {
                let mut aliases = ComponentAliasSection::new();
                aliases.alias(Alias::CoreInstanceExport {
                    instance: 0,
                    kind: ExportKind::Func,
                    name: &self.seen.core_functions.to_string(),
                });
                component.section(&aliases);
                self.seen.canonical(&function);
                continue;
            }
            self.seen.canonical(&function);
            let mut section = CanonicalFunctionSection::new();
            self.parse_component_canonical(&mut section, function)?;
            component.section(&section);
        }
        Ok(())
    }
}

impl Reencode for Cutter<'_> {
    type Error = Infallible;
}

impl ReencodeComponent for Cutter<'_> {
    fn component_type_index(&mut self, index: u32) -> u32 {
        match self.depth {
            0 => moved(index, &self.gone().types),
            _ => index,
        }
    }

    fn outer_component_type_index(&mut self, count: u32, index: u32) -> u32 {
        match count == self.depth {
            true => moved(index, &self.gone().types),
            false => index,
        }
    }

    fn component_func_index(&mut self, index: u32) -> u32 {
        moved(index, &self.gone().functions)
    }

    fn component_instance_index(&mut self, index: u32) -> u32 {
        moved(index, &self.gone().instances)
    }

    // the module in front, and its instance
    fn module_index(&mut self, index: u32) -> u32 {
        index + 1
    }

    fn instance_index(&mut self, index: u32) -> u32 {
        index + 1
    }

    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn parse_component_payload(
        &mut self,
        component: &mut Component,
        payload: Payload<'_>,
        whole: &[u8],
    ) -> Result<(), Error<Infallible>> {
        match payload {
            Payload::ComponentCanonicalSection(functions) => self.canonical(component, functions),
            Payload::ComponentInstanceSection(instances) => {
                self.seen.instances += instances.count();
                component_utils::parse_component_payload(
                    self,
                    component,
                    Payload::ComponentInstanceSection(instances),
                    whole,
                )
            }
            payload => component_utils::parse_component_payload(self, component, payload, whole),
        }
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _: Parser,
        module: &[u8],
    ) -> Result<(), Error<Infallible>> {
        component.section(&RawSection {
            id: ComponentSectionId::CoreModule.into(),
            data: module,
        });
        Ok(())
    }

    /// A component in this one names what it is made with in front of an interface,
    /// and knows no index of ours.
    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        _: Parser,
        inner: &[u8],
        _: &[u8],
    ) -> Result<(), Error<Infallible>> {
        component.section(&RawSection {
            id: ComponentSectionId::Component.into(),
            data: inner,
        });
        Ok(())
    }

    /// Names of indices that have moved would mislead.
    fn parse_component_custom_section(
        &mut self,
        component: &mut Component,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        match section.name() {
            "component-name" => Ok(()),
            _ => component_utils::parse_component_custom_section(self, component, section),
        }
    }

    fn parse_component_type_section(
        &mut self,
        types: &mut ComponentTypeSection,
        section: ComponentTypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for ty in section {
            let ty = ty?;
            if !self.gone().types.contains(&self.seen.types) {
                self.parse_component_type(types.ty(), ty)?;
            }
            self.seen.types += 1;
        }
        Ok(())
    }

    fn parse_component_import_section(
        &mut self,
        imports: &mut ComponentImportSection,
        section: ComponentImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for import in section {
            let import = import?;
            if import.name.name.starts_with(CONTRACT) {
                imports.import(import.name, self.component_type_ref(import.ty)?);
            }
            self.seen.component(import.ty.kind());
        }
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for alias in section {
            let alias = alias?;
            if !self.gone().holds(&alias) {
                aliases.alias(self.component_alias(alias.clone())?);
            }
            self.seen.alias(&alias);
        }
        Ok(())
    }

    fn parse_component_export_section(
        &mut self,
        exports: &mut ComponentExportSection,
        section: ComponentExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for export in section {
            let export = export?;
            if export.name.name.starts_with(CONTRACT) {
                self.parse_component_export(exports, export)?;
            }
        }
        Ok(())
    }
}
