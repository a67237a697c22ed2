//! What a region says in the binding's settings. A word that is not known here
//! is refused.

use std::collections::BTreeMap;

use cambist_sdk::prelude::*;
use serde::Deserialize;

/// The settings of a binding.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// Where paise are rounded. No default: the books must do the same. Odoo's
    /// chart for India rounds per line.
    pub rounding: RoundingMethod,
    /// How half a paisa is rounded.
    #[serde(default = "half_up")]
    pub rounding_mode: Rounding,
    /// The class of a line that names none.
    #[serde(default = "professional_services")]
    pub usual_class: String,
    /// Classes of the region's own, each with the class of `rates.csv` that it
    /// stands for. A class that is not listed is looked up as it is.
    #[serde(default)]
    pub tax_classes: BTreeMap<String, String>,
    /// Whether the supplier has furnished a letter of undertaking for the
    /// financial year, and so exports without paying tax (CGST Rules, rule 96A).
    #[serde(default)]
    pub letter_of_undertaking: bool,
    /// Whether the Reserve Bank lets the supplier be paid for exports in rupees
    /// (IGST Act s. 2(6)(iv)).
    #[serde(default)]
    pub rupee_exports: bool,
    /// Whether the supplier is a unit or developer in a special economic zone, whose
    /// supplies are all inter-state (IGST Act s. 7(5)(b)). A GSTIN does not show it.
    #[serde(default)]
    pub supplier_in_sez: bool,
    /// GSTINs of customers that are units or developers in a special economic
    /// zone and buy for their authorised operations. A GSTIN does not show it.
    #[serde(default)]
    pub sez_customers: Vec<String>,
    /// Classes of lines that are supplied to a special economic zone, for regions
    /// that say it at the line.
    #[serde(default)]
    pub sez_classes: Vec<String>,
}

impl Settings {
    /// The class of a line, in the region's words.
    pub fn class_of<'a>(&'a self, line: &'a DocumentLine) -> &'a str {
        line.tax_class.as_deref().unwrap_or(&self.usual_class)
    }

    /// The class of `rates.csv` that a class stands for.
    pub fn table_class<'a>(&'a self, class: &'a str) -> &'a str {
        self.tax_classes.get(class).map_or(class, String::as_str)
    }

    /// Whether a line of that class goes to a special economic zone.
    pub fn is_sez(&self, customer: &Party, class: &str) -> bool {
        let listed = |id: &String| self.sez_customers.contains(id);
        customer.tax_id.as_ref().is_some_and(listed) || self.sez_classes.iter().any(|listed| listed == class)
    }
}

fn half_up() -> Rounding {
    Rounding::HalfUp
}

fn professional_services() -> String {
    "professional-services".to_owned()
}
