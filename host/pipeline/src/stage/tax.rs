//! `tax`: assesses each document with lines. Output: a list of [`Assessment`].

use std::collections::BTreeSet;

use cambist_contract::{
    Decimal,
    canonical::{
        Account, Change, ChangeKind, Contract, Entity, EntityRef, Invoice, InvoiceKind, InvoiceStatus,
    },
    plugin::Called,
    stage::Stage,
    tax::{Assessment, Document, DocumentKind, DocumentLine, Party, Treatment},
};
use jiff::civil::Date;

use super::{changes, drafts};
use crate::{
    call::{Step, call},
    dispatch::Pipeline,
    failure::Failure,
    work::{Passed, Work},
};

pub(super) async fn run(pipeline: &Pipeline, work: &mut Work) -> Result<Passed, Failure> {
    let route = work.route()?;
    let supplier = pipeline
        .routes()
        .regions
        .get(&route.region)
        .map(|region| region.supplier.party());
    let supplier = supplier
        .ok_or_else(|| Failure::Unroutable(format!("region `{}` is not in the config", route.region)))?;
    let day = jiff::tz::Offset::UTC.to_datetime(work.message.occurred_at).date();
    let mut documents = documents(&changes(work)?, &supplier, day)?;
    if let Some(drafts) = drafts(work)? {
        // the others are the books' own, with the tax that they have
        documents.retain(|document| drafts.contains(&document.entity));
    }
    let asked = documents.clone();
    let function =
        move |plugin: &dyn cambist_contract::plugin::Plugin, context: &_, links: std::sync::Arc<_>| {
            let mut all = Called {
                answer: Ok(Vec::new()),
                cost: Default::default(),
            };
            for document in &asked {
                let called = plugin.assess(context, document, std::sync::Arc::clone(&links) as _);
                all.cost.fuel += called.cost.fuel;
                all.cost.elapsed += called.cost.elapsed;
                all.cost.log.extend(called.cost.log);
                match (called.answer, &mut all.answer) {
                    (Ok(assessment), Ok(done)) => done.push(assessment),
                    (Err(error), answer) => {
                        *answer = Err(error);
                        break;
                    }
                    (Ok(_), Err(_)) => break,
                }
            }
            all
        };
    call(
        pipeline,
        work,
        Stage::Tax,
        function,
        |assessments: Vec<Assessment>| {
            for (document, assessment) in documents.iter().zip(&assessments) {
                plausible(document, assessment).map_err(Failure::Implausible)?;
            }
            Ok(Step::On(assessments))
        },
    )
    .await
}

/// The documents among the changes: contracts that have lines, and invoices with lines
/// that may still change. `day` is that of a document that has none.
fn documents(changes: &[Change], supplier: &Party, day: Date) -> Result<Vec<Document>, Failure> {
    let there = || changes.iter().filter(|change| change.kind == ChangeKind::Upsert);
    let accounts: Vec<&Account> = there()
        .filter_map(|change| match &change.entity {
            Entity::Account(account) => Some(account),
            _ => None,
        })
        .collect();
    let customer = |name: Option<&EntityRef>, document: &EntityRef| {
        let account = accounts
            .iter()
            .find(|account| name.is_none_or(|name| account.entity == *name));
        account.map(|account| party(account)).ok_or_else(|| {
            Failure::Implausible(format!("the account of {document} is not among the changes"))
        })
    };
    let invoices: Vec<&Invoice> = there()
        .filter_map(|change| match &change.entity {
            Entity::Invoice(invoice) => Some(invoice),
            _ => None,
        })
        .collect();
    let mut documents = Vec::new();
    for change in there() {
        match &change.entity {
            Entity::Contract(contract) if !contract.lines.as_deref().unwrap_or_default().is_empty() => {
                documents.push(order(
                    contract,
                    customer(contract.account.as_ref(), &contract.entity)?,
                    supplier,
                    day,
                )?);
            }
            Entity::Invoice(invoice) if is_assessed(invoice) => {
                documents.push(bill(
                    invoice,
                    customer(invoice.account.as_ref(), &invoice.entity)?,
                    supplier,
                    tax_point(invoice, &invoices).unwrap_or(day),
                )?);
            }
            _ => {}
        }
    }
    Ok(documents)
}

/// Whether an invoice has something to assess, and its tax may still change.
fn is_assessed(invoice: &Invoice) -> bool {
    let may_change = matches!(invoice.status, None | Some(InvoiceStatus::Draft));
    may_change && !invoice.lines.as_deref().unwrap_or_default().is_empty()
}

/// The day whose law applies to an invoice. A credit note takes back what was taxed then.
fn tax_point(invoice: &Invoice, among: &[&Invoice]) -> Option<Date> {
    let own = |invoice: &Invoice| invoice.tax_point.or(invoice.issued);
    let corrects = invoice.corrects.as_ref();
    let corrected = corrects.and_then(|name| among.iter().find(|it| it.entity == *name));
    let of_corrected = corrected.and_then(|it| own(it));
    invoice.tax_point.or(of_corrected).or_else(|| own(invoice))
}

fn party(account: &Account) -> Party {
    let name = account.legal_name.as_ref().or(account.name.as_ref());
    Party {
        name: name.cloned().unwrap_or_default(),
        address: account
            .established
            .as_ref()
            .or(account.billing.as_ref())
            .cloned()
            .unwrap_or_default(),
        business: account.business.unwrap_or(true),
        tax_id: account.tax_id.clone(),
        tax_id_confirmed: account.tax_id_confirmed,
        extra: account.extra.clone(),
    }
}

fn order(contract: &Contract, customer: Party, supplier: &Party, day: Date) -> Result<Document, Failure> {
    let lines = contract.lines.iter().flatten().map(|line| DocumentLine {
        id: line.id.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount_percent: line.discount_percent,
        tax_class: line.tax_class.clone(),
        performed_at: line.performed_at.clone(),
        extra: line.extra.clone(),
    });
    Ok(Document {
        entity: contract.entity.clone(),
        kind: DocumentKind::Order,
        tax_point: contract.signed.unwrap_or(day),
        currency: currency(contract.currency.as_ref(), &contract.entity)?,
        supplier: supplier.clone(),
        customer,
        lines: lines.collect(),
        corrects: None,
        extra: contract.extra.clone(),
    })
}

fn bill(invoice: &Invoice, customer: Party, supplier: &Party, tax_point: Date) -> Result<Document, Failure> {
    let lines = invoice.lines.iter().flatten().map(|line| DocumentLine {
        id: line.id.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount_percent: line.discount_percent,
        tax_class: line.tax_class.clone(),
        performed_at: line.performed_at.clone(),
        extra: line.extra.clone(),
    });
    let kind = match invoice.kind {
        Some(InvoiceKind::CreditNote) => DocumentKind::CreditNote,
        Some(InvoiceKind::Invoice) | None => DocumentKind::Invoice,
    };
    Ok(Document {
        entity: invoice.entity.clone(),
        kind,
        tax_point,
        currency: currency(invoice.currency.as_ref(), &invoice.entity)?,
        supplier: supplier.clone(),
        customer,
        lines: lines.collect(),
        corrects: invoice.corrects.clone(),
        extra: invoice.extra.clone(),
    })
}

fn currency(currency: Option<&String>, document: &EntityRef) -> Result<String, Failure> {
    currency
        .cloned()
        .ok_or_else(|| Failure::Implausible(format!("{document} has lines and no currency")))
}

/// What must hold of any assessment, whatever the law: every line once, and sums
/// that are sums.
fn plausible(document: &Document, assessment: &Assessment) -> Result<(), String> {
    let asked: BTreeSet<&str> = document.lines.iter().map(|line| line.id.as_str()).collect();
    let told: BTreeSet<&str> = assessment.lines.iter().map(|line| line.line.as_str()).collect();
    if asked != told || assessment.lines.len() != asked.len() {
        return Err("it must hold each line exactly once".to_owned());
    }
    if assessment.entity != document.entity || assessment.currency != document.currency {
        return Err("it is about another document or currency".to_owned());
    }
    let sum = |withheld: bool| -> Decimal {
        let totals = assessment.totals.iter();
        totals
            .filter(|total| (total.rate.treatment == Treatment::Withholding) == withheld)
            .map(|total| total.amount)
            .sum()
    };
    if sum(false) != assessment.tax {
        return Err("`tax` is not the sum of the totals".to_owned());
    }
    if assessment.net + assessment.tax != assessment.gross {
        return Err("`gross` is not `net` and `tax` together".to_owned());
    }
    if assessment.gross + sum(true) != assessment.payable {
        return Err("`payable` is not `gross` less what is withheld".to_owned());
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn supplier() -> Party {
        let party = json!({"name": "Us", "address": {"country": "DE"}, "business": true});
        serde_json::from_str(&party.to_string()).unwrap()
    }

    fn name(id: &str) -> Value {
        json!({"kind": "invoice", "system": "odoo", "id": id})
    }

    /// An account and these invoices, each of one line: its id and its other fields.
    fn invoices(of: &[(&str, Value)]) -> Vec<Change> {
        let change = |kind: &str, entity: &Value| {
            let text = json!({
                "entity": { kind: entity }, "kind": "upsert", "changed-at": "2026-11-22T04:00:00Z",
            });
            serde_json::from_str(&text.to_string()).unwrap()
        };
        let account = json!({"ref": {"kind": "account", "system": "odoo", "id": "7"}, "name": "Acme"});
        let mut all = vec![change("account", &account)];
        for (id, fields) in of {
            let line = json!({"id": "1", "name": "Work", "quantity": "1", "unit-price": "900"});
            let mut invoice = json!({"ref": name(id), "currency": "EUR", "lines": [line]});
            let fields = fields.as_object().cloned().unwrap_or_default();
            invoice.as_object_mut().unwrap().extend(fields);
            all.push(change("invoice", &invoice));
        }
        all
    }

    fn days(of: &[(&str, Value)]) -> Vec<(String, String)> {
        let documents = documents(&invoices(of), &supplier(), "2026-11-22".parse().unwrap()).unwrap();
        let day = |it: &Document| (it.entity.id.clone(), it.tax_point.to_string());
        documents.iter().map(day).collect()
    }

    #[test]
    fn only_what_may_still_change_is_assessed() {
        let told = days(&[
            ("1", json!({})),
            ("2", json!({"status": "draft", "issued": "2026-11-20"})),
            ("3", json!({"status": "posted"})),
            ("4", json!({"status": "paid"})),
            ("5", json!({"status": "cancelled"})),
        ]);
        let told: Vec<(&str, &str)> = told.iter().map(|(id, day)| (id.as_str(), day.as_str())).collect();
        assert_eq!(told, [("1", "2026-11-22"), ("2", "2026-11-20")]);
    }

    #[test]
    fn a_credit_note_is_taxed_by_the_day_of_the_invoice_that_it_corrects() {
        let credit = |of: &str, fields: Value| {
            let mut note = json!({"kind": "credit-note", "corrects": name(of), "issued": "2026-11-20"});
            let fields = fields.as_object().cloned().unwrap_or_default();
            note.as_object_mut().unwrap().extend(fields);
            note
        };
        let posted = json!({"status": "posted", "issued": "2025-12-31", "tax-point": "2025-12-01"});
        for (note, day) in [
            (credit("1", json!({})), "2025-12-01"),
            (credit("1", json!({"tax-point": "2026-01-02"})), "2026-01-02"),
            (credit("unknown", json!({})), "2026-11-20"),
        ] {
            assert_eq!(
                days(&[("1", posted.clone()), ("2", note)]),
                [("2".into(), day.into())]
            );
        }
    }
}
