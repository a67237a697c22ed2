//! Columns of Odoo's `load`, where they differ from plain JSON.

use cambist_sdk::prelude::*;

/// What the SDK's values do not say by themselves.
pub(crate) trait Columns {
    /// Yes or no. `load` takes texts: a JSON `true` ends it with an error 500.
    #[must_use]
    fn switch(self, column: &str, on: bool) -> Self;

    /// A number if there is one.
    #[must_use]
    fn optional_number(self, column: &str, number: Option<&Decimal>) -> Self;

    /// A reference to a record of ours, if there is one.
    #[must_use]
    fn reference(self, column: &str, name: Option<&EntityRef>) -> Self;
}

impl Columns for Values {
    fn switch(self, column: &str, on: bool) -> Self {
        self.text(column, if on { "1" } else { "0" })
    }

    fn optional_number(self, column: &str, number: Option<&Decimal>) -> Self {
        match number {
            Some(number) => self.number(column, number),
            None => self,
        }
    }

    fn reference(self, column: &str, name: Option<&EntityRef>) -> Self {
        match name {
            Some(name) => self.text(column, crate::external_id::of(name)),
            None => self,
        }
    }
}

/// A record as it is to be, standing for an entity.
pub(crate) fn record(model: &str, name: &EntityRef, values: Values) -> Record {
    Record {
        model: model.to_owned(),
        key: RecordKey::External(crate::external_id::of(name)),
        values: values.json(),
        stands_for: Some(name.clone()),
    }
}
