//! Where something stands in the input, for the faults that name it. Written out only
//! when a fault is: most time and expenses have none, and there may be thousands.

use cambist_sdk::prelude::*;

/// An item of a list of the input.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    list: &'static str,
    index: usize,
}

impl Place {
    /// The item at `index` of a list, such as `timesheets`.
    pub fn of(list: &'static str, index: usize) -> Self {
        Self { list, index }
    }

    /// The path of one of its fields, such as `timesheets[3].hours`.
    pub fn field(self, name: &str) -> String {
        format!("{}[{}].{name}", self.list, self.index)
    }

    /// A field of it, which is needed.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub fn required<T>(self, value: Option<T>, name: &str) -> Result<T> {
        value.ok_or_else(|| self.invalid(name, "is required"))
    }

    /// A field of it breaks a rule.
    pub fn invalid(self, name: &str, rule: impl Into<String>) -> Fault {
        invalid(self.field(name), rule)
    }
}
