//! What a project needs before it may begin. One reason for each thing that is
//! missing; each names the field and the way out, none a value.

use cambist_sdk::prelude::*;

use crate::{RULES, deal::Deal, settings::Settings};

/// What the deal lacks, in the order in which a person would fill it in.
pub fn missing(deal: &Deal<'_>, settings: &Settings) -> Vec<Reason> {
    let mut missing = Vec::new();
    let mut lacks = |absent: bool, code: &str, text: &str| {
        if absent {
            missing.push(reason(code, text).by(RULES));
        }
    };

    let contract = deal.contract;
    lacks(
        contract.lines.as_ref().is_none_or(Vec::is_empty),
        "no-lines",
        "contract.lines is empty; add line items to the deal, so that there is something to deliver and bill",
    );
    lacks(
        contract.currency.is_none(),
        "no-currency",
        "contract.currency is empty; choose the deal's currency",
    );

    if settings.require.terms {
        let text = "contract.terms is empty; enter the terms that were agreed on";
        lacks(contract.terms.is_none(), "no-terms", text);
        let approved = |terms: &String| settings.approved_terms.contains(terms);
        lacks(
            contract.terms.as_ref().is_some_and(|terms| !approved(terms)),
            "terms-not-approved",
            "contract.terms names terms that are not approved; agree on approved ones, or have legal add them to the \
             settings",
        );
    }

    if settings.require.customer_identity {
        match deal.account {
            None => lacks(
                true,
                "no-customer",
                "contract.account is not part of this message; associate the deal with a company",
            ),
            Some(account) => {
                let country = account
                    .billing
                    .as_ref()
                    .and_then(|billing| billing.country.as_ref());
                // who does not say that it is a consumer is a business
                let business = account.business.unwrap_or(true);
                let has_tax_ids =
                    country.is_none_or(|country| !settings.no_tax_id_countries.contains(country));
                lacks(
                    account.legal_name.is_none() && account.name.is_none(),
                    "no-legal-name",
                    "account.legal-name is empty; enter the customer's registered name",
                );
                lacks(
                    business && has_tax_ids && account.tax_id.is_none(),
                    "no-tax-id",
                    "account.tax-id is empty; enter the customer's VAT number or its like, or mark it as a consumer",
                );
                lacks(
                    country.is_none(),
                    "no-billing-country",
                    "account.billing.country is empty; enter the country of the customer's billing address",
                );
            }
        }
    }

    if settings.require.delivery_owner {
        lacks(
            deal.project
                .is_none_or(|project| project.delivery_owner.is_none()),
            "no-delivery-owner",
            "project.delivery-owner is empty; name who answers for delivery",
        );
    }
    missing
}
