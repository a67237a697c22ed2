//! Columns of Odoo's `load`, where they differ from plain JSON.

use cambist_sdk::prelude::*;

use crate::external_id;

/// What the SDK's values do not say by themselves.
pub(crate) trait Columns {
    /// Yes or no. `load` takes texts: a JSON `true` ends it with an error 500.
    #[must_use]
    fn switch(self, column: &str, on: bool) -> Self;

    /// A number if there is one.
    #[must_use]
    fn optional_number(self, column: &str, number: Option<&Decimal>) -> Self;

    /// A reference to the record of an entity, if there is one: by our external id in
    /// `FIELD/id`, or by Odoo's own in `FIELD/.id` where it was born in the target.
    #[must_use]
    fn reference(self, target: &str, field: &str, name: Option<&EntityRef>) -> Self;
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

    fn reference(self, target: &str, field: &str, name: Option<&EntityRef>) -> Self {
        match name.map(|name| external_id::key(target, name)) {
            Some(RecordKey::External(id)) => self.text(&format!("{field}/id"), id),
            Some(RecordKey::Own(id)) => self.text(&format!("{field}/.id"), id),
            None => self,
        }
    }
}

/// A record as it is to be, standing for an entity.
pub(crate) fn record(target: &str, model: &str, name: &EntityRef, values: Values) -> Record {
    Record {
        model: model.to_owned(),
        key: external_id::key(target, name),
        values: values.json(),
        stands_for: Some(name.clone()),
    }
}
