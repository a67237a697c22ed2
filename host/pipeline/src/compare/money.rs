//! Which fields of an answer are about money.
//!
//! What plugins answer in the contract's words is typed: a field is about money because the
//! contract makes it an amount of it, or what one is worked out of. What is in a system's words
//! has names only, and they are judged by what they contain.

use cambist_contract::stage::Stage;

use super::Step;

/// Fields of the contract that are amounts of money, its currency, or what such an amount is
/// worked out of: by their exact names. Its other decimals are about something else.
const TYPED: [&str; 13] = [
    "amount",
    "base",
    "currency",
    "discount-percent",
    "gross",
    "net",
    "payable",
    "percent",
    "quantity",
    "residual",
    "share-percent",
    "tax",
    "unit-price",
];

/// What a field's name contains that is about money, in HubSpot's words and in Odoo's.
const PARTS: [&str; 6] = ["amount", "price", "total", "discount", "currency", "cost"];

/// What such a field is called.
const NAMES: [&str; 8] = [
    "base", "gross", "net", "payable", "percent", "quantity", "residual", "tax",
];

/// In whose words a stage's output is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Words {
    /// The contract's.
    #[default]
    Contract,
    /// A system's, such as a record of HubSpot's or the values of a plan.
    System,
}

impl Words {
    pub(super) fn of(stage: Stage) -> Self {
        match stage {
            Stage::Fetch | Stage::Write | Stage::Deliver => Self::System,
            Stage::Read | Stage::Own | Stage::Judge | Stage::Draft | Stage::Tax => Self::Contract,
        }
    }

    /// Whether what lies there is about money. In the contract's words the field itself says so;
    /// in a system's whatever it lies in may.
    pub(super) fn is_money(self, path: &[Step<'_>]) -> bool {
        let mut fields = path.iter().rev().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_ref()),
            Step::Item(_) => None,
        });
        match self {
            Self::Contract => fields.next().is_some_and(|name| self.is_money_field(name)),
            Self::System => fields.any(|name| self.is_money_field(name)),
        }
    }

    /// Whether a field is about money, by its name alone.
    pub(super) fn is_money_field(self, name: &str) -> bool {
        match self {
            Self::Contract => TYPED.contains(&name),
            Self::System => sounds_like_money(name),
        }
    }
}

fn sounds_like_money(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The contract's decimals that are no money.
    const OTHERS: [&str; 1] = ["hours"];

    #[test]
    fn every_decimal_and_currency_of_the_contract_is_known() {
        let contract = [
            include_str!("../../../../wit/v0.1.0/canonical.wit"),
            include_str!("../../../../wit/v0.1.0/mapping.wit"),
            include_str!("../../../../wit/v0.1.0/policy.wit"),
            include_str!("../../../../wit/v0.1.0/tax.wit"),
            include_str!("../../../../wit/v0.1.0/invoicing.wit"),
        ];
        let typed = contract.iter().flat_map(|text| text.lines()).filter_map(|line| {
            let (name, of) = line.trim().strip_suffix(',')?.split_once(": ")?;
            let of = of
                .strip_prefix("option<")
                .and_then(|of| of.strip_suffix('>'))
                .unwrap_or(of);
            matches!(of, "decimal" | "currency").then_some(name)
        });
        let typed: BTreeSet<&str> = typed.collect();
        let known: BTreeSet<&str> = TYPED.into_iter().chain(OTHERS).collect();
        assert_eq!(typed, known);
    }

    #[test]
    fn a_name_that_only_sounds_like_money_is_none_in_the_contracts_words() {
        let field = |name: &'static str| [Step::Field(name.into())];
        let is_money = |words: Words, name| words.is_money(&field(name));
        for name in ["totals", "tax-class", "hours", "cost-center"] {
            assert!(!is_money(Words::Contract, name), "{name}");
        }
        for name in [
            "cost-center",
            "amount_total",
            "price_unit",
            "hs_discount_percentage",
        ] {
            assert!(is_money(Words::System, name), "{name}");
        }
        for words in [Words::Contract, Words::System] {
            assert!(is_money(words, "amount") && !is_money(words, "name"));
        }
        // what lies in a field that is money, in whose words
        let within = ["totals", "code"].map(|name| Step::Field(name.into()));
        assert!(Words::System.is_money(&within) && !Words::Contract.is_money(&within));
    }

    #[test]
    fn a_plan_is_in_its_targets_words_and_a_draft_in_ours() {
        assert_eq!(Words::of(Stage::Write), Words::System);
        for stage in [Stage::Read, Stage::Judge, Stage::Draft, Stage::Tax] {
            assert_eq!(Words::of(stage), Words::Contract);
        }
    }
}
