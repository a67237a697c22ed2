//! An exported function that is type-checked once, at load, and not at each call.
//!
//! Wasmtime checks a function's type whenever it is asked for by type. For the
//! records of this contract that walks some hundred field names: a third of what
//! a small call costs.

#![expect(
    unsafe_code,
    reason = "wasmtime's own API for a checked function is unsafe; see `function`"
)]

use std::marker::PhantomData;

use cambist_contract::plugin::{Interface, LoadError};
use wasmtime::{
    Store,
    component::{ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc},
};

use crate::guest::State;

/// The type of a function: what it takes, borrowed for a call, and what it answers.
pub(crate) trait Signature {
    /// What it takes.
    type Params<'a>: ComponentNamedList + Lower;
    /// What it answers.
    type Return: ComponentNamedList + Lift;
}

/// A function of a component, whose type was checked.
pub(crate) struct Export<S> {
    index: ComponentExportIndex,
    checked: PhantomData<fn() -> S>,
}

impl<S: Signature> Export<S> {
    /// Finds a function and checks its type in `instance`, one of `pre`.
    ///
    /// # Errors
    ///
    /// There is none, or it has another type than the contract says.
    pub(crate) fn check(
        pre: &InstancePre<State>,
        store: &mut Store<State>,
        instance: &Instance,
        (interface, version): (Interface, &str),
        name: &str,
    ) -> Result<Self, LoadError> {
        let wrong = |detail: String| LoadError::WrongType { interface, detail };
        let missing = || wrong(format!("it has no function `{name}`"));
        let component = pre.component();
        let exported = format!("cambist:plugin/{interface}@{version}");
        let index = component
            .get_export_index(None, &exported)
            .and_then(|interface| component.get_export_index(Some(&interface), name))
            .ok_or_else(missing)?;
        instance
            .get_func(&mut *store, index)
            .ok_or_else(missing)?
            .typed::<S::Params<'static>, S::Return>(&mut *store)
            .map_err(|error| wrong(crate::trap::cut(format!("`{name}`: {error:#}"))))?;
        Ok(Self {
            index,
            checked: PhantomData,
        })
    }

    /// The function in another instance of the same component.
    pub(crate) fn function<'a>(
        &self,
        store: &mut Store<State>,
        instance: &Instance,
    ) -> wasmtime::Result<TypedFunc<S::Params<'a>, S::Return>> {
        let function = instance
            .get_func(store, self.index)
            .ok_or_else(|| wasmtime::Error::msg("the function is gone from its component"))?;
        // SAFETY: `check`, the only way to make an `Export`, has checked the type
        // of this very export; how long its parameters are borrowed is no part of
        // a component's type. An index is bound to its component, of which
        // `instance` is one, or `get_func` would have found nothing; and all
        // instances of a component have the same types.
        Ok(unsafe { TypedFunc::new_unchecked(function) })
    }
}
