//! The contract as bills are made from it: whether it may be billed, its currency and
//! amount, and which of the settings' rules hold for it.

use cambist_sdk::prelude::*;

use crate::{
    amounts,
    rules::Rules,
    settings::{Apart, Settings},
};

/// A contract that may be billed.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The contract.
    pub contract: &'a Contract,
    /// How it is billed.
    pub billing: BillingMethod,
    /// The currency of its bills.
    pub currency: &'a str,
    /// How many digits that currency has behind the point.
    digits: u32,
    /// Its lines.
    pub lines: &'a [ContractLine],
    /// The rules that hold for it.
    pub rules: &'a Rules,
    /// The name of these rules, unless they are the usual ones.
    pub name: Option<&'a str>,
    /// The settings.
    pub settings: &'a Settings,
}

impl<'a> Terms<'a> {
    /// The terms of what is to be billed.
    ///
    /// # Errors
    ///
    /// The contract may not be billed, lacks how or in which currency, or is not the
    /// account's.
    pub fn of(billable: &'a Billable, settings: &'a Settings) -> Result<Self> {
        let contract = &billable.contract;
        if !matches!(contract.status, None | Some(ContractStatus::Approved)) {
            return Err(invalid(
                "contract.status",
                "must be `approved` for the contract to be billed; approve it, or bill what is left by hand",
            ));
        }
        if contract
            .account
            .as_ref()
            .is_some_and(|account| *account != billable.account.ref_)
        {
            return Err(invalid(
                "account.ref",
                "is not the account that the contract names; the message must hold that one",
            ));
        }
        let billing = contract.billing.ok_or_else(|| {
            invalid(
                "contract.billing",
                "is required; say whether the contract is billed by time, with a cap, or at a fixed price",
            )
        })?;
        let currency = contract.currency.as_ref().or(billable.account.currency.as_ref());
        let currency = currency.required("contract.currency")?;
        let (name, rules) = rules(contract, settings)?;
        Ok(Self {
            contract,
            billing,
            currency,
            digits: minor_units(currency),
            lines: contract.lines.as_deref().unwrap_or_default(),
            rules,
            name,
            settings,
        })
    }

    /// What the contract comes to: its amount, or the sum of its lines; none where it
    /// has neither.
    ///
    /// # Errors
    ///
    /// A line has no amount that could be computed.
    pub fn amount(&self) -> Result<Option<Amount>> {
        if let Some(amount) = self.contract.amount {
            return Ok(Some(self.round(amount.value())));
        }
        if self.lines.is_empty() {
            return Ok(None);
        }
        let lines = self.lines.iter().enumerate();
        let amounts = lines.map(|(index, line)| amounts::of_contract_line(line, index));
        amounts::sum(amounts, self).map(Some)
    }

    /// The place and the line that an id names. `field` is what names it.
    ///
    /// # Errors
    ///
    /// The contract has no such line.
    pub fn line(&self, id: &str, field: impl FnOnce() -> String) -> Result<(usize, &'a ContractLine)> {
        let mut lines = self.lines.iter().enumerate();
        lines
            .find(|(_, line)| line.id == id)
            .ok_or_else(|| invalid(field(), "names no line of the contract; it must be the id of one"))
    }

    /// An amount in what the currency can express.
    pub fn round(&self, amount: Amount) -> Amount {
        if amount.scale() <= self.digits {
            // nothing to round, and the currency need not be looked up
            let mut whole = amount;
            whole.rescale(self.digits);
            return whole;
        }
        round_to_currency(amount, self.currency, self.settings.rounding_mode)
    }

    /// What a reason of these rules rests on.
    pub fn basis(&self) -> String {
        match self.name {
            Some(name) => format!("rules of `{name}` in the binding's settings"),
            None => "usual rules in the binding's settings".to_owned(),
        }
    }

    /// Whether a bill is for one project alone.
    pub fn by_project(&self) -> bool {
        self.settings.apart == Apart::Project
    }

    /// The contract line that a line of a bill takes its tax class and place from when
    /// it is for the contract as a whole; none where the contract has no lines.
    ///
    /// # Errors
    ///
    /// The contract's lines differ in one of them, so a tax would be guessed.
    pub fn whole(&self, field: impl FnOnce() -> String) -> Result<Option<&'a ContractLine>> {
        let Some((first, rest)) = self.lines.split_first() else {
            return Ok(None);
        };
        let same = |line: &ContractLine| {
            line.tax_class == first.tax_class && line.performed_at == first.performed_at
        };
        match rest.iter().all(same) {
            true => Ok(Some(first)),
            false => Err(invalid(
                field(),
                "is needed, because the contract's lines differ in tax class or place of performance",
            )),
        }
    }
}

/// The rules of a contract, and their name.
fn rules<'a>(contract: &'a Contract, settings: &'a Settings) -> Result<(Option<&'a str>, &'a Rules)> {
    if let Some(field) = settings.terms_field.as_deref()
        && let Some(name) = text_of(contract, field)?
    {
        let rules = settings.terms.get(name).ok_or_else(|| {
            invalid(
                format!("contract.extra.{field}"),
                "names terms that are not under `terms` in the settings",
            )
        })?;
        return Ok((Some(name), rules));
    }
    let name = contract.terms.as_deref();
    let named = name.and_then(|name| Some((Some(name), settings.terms.get(name)?)));
    Ok(named.unwrap_or((None, &settings.usual)))
}

/// The text in an extension field, which holds JSON; none where it is not there or is
/// `null`. Names of terms are plain, so nothing in them is escaped.
fn text_of<'a>(contract: &'a Contract, field: &str) -> Result<Option<&'a str>> {
    let mut extra = contract.extra.iter();
    let Some(found) = extra.find(|extension| extension.name == field) else {
        return Ok(None);
    };
    let value = found.value.trim();
    if value == "null" {
        return Ok(None);
    }
    let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    text.filter(|text| !text.contains('\\')).map(Some).ok_or_else(|| {
        invalid(
            format!("contract.extra.{field}"),
            "must be the name of terms, as a text",
        )
    })
}
