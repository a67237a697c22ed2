//! Fields that are to be emptied, and the columns that hold them.

use cambist_sdk::prelude::*;

/// A canonical field and the columns that it fills.
pub(crate) type Columns = (&'static str, &'static [&'static str]);

/// Empties the columns of the fields that `change` clears. A field without a
/// column has nothing to empty.
pub(crate) fn empty(change: &Change, table: &[Columns], values: Values) -> Values {
    change.cleared.iter().fold(values, |values, field| {
        let found = table.iter().find(|(name, _)| name == field);
        let columns = found.map_or(&[][..], |(_, columns)| columns);
        columns.iter().fold(values, |values, column| values.empty(column))
    })
}
