//! `tax`: assesses each document with lines. Output: a list of [`Assessment`].

use std::collections::BTreeSet;

use cambist_contract::{
    Decimal,
    canonical::{Account, Change, Contract, Entity, EntityRef, Invoice, InvoiceKind},
    plugin::Called,
    stage::Stage,
    tax::{Assessment, Document, DocumentKind, DocumentLine, Party, Treatment},
};

use super::changes;
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
    let documents = documents(&changes(work)?, &supplier, work)?;
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

/// The documents among the changes: contracts and invoices that have lines.
fn documents(changes: &[Change], supplier: &Party, work: &Work) -> Result<Vec<Document>, Failure> {
    let day = jiff::tz::Offset::UTC.to_datetime(work.message.occurred_at).date();
    let accounts: Vec<&Account> = changes
        .iter()
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
    let mut documents = Vec::new();
    for change in changes {
        match &change.entity {
            Entity::Contract(contract) if !contract.lines.as_deref().unwrap_or_default().is_empty() => {
                documents.push(order(
                    contract,
                    customer(contract.account.as_ref(), &contract.entity)?,
                    supplier,
                    day,
                )?);
            }
            Entity::Invoice(invoice) if !invoice.lines.as_deref().unwrap_or_default().is_empty() => {
                documents.push(bill(
                    invoice,
                    customer(invoice.account.as_ref(), &invoice.entity)?,
                    supplier,
                    day,
                )?);
            }
            _ => {}
        }
    }
    Ok(documents)
}

fn party(account: &Account) -> Party {
    let name = account.legal_name.as_ref().or(account.name.as_ref());
    Party {
        name: name.cloned().unwrap_or_default(),
        address: account.billing.clone().unwrap_or_default(),
        business: account.business.unwrap_or(true),
        tax_id: account.tax_id.clone(),
        tax_id_confirmed: account.tax_id_confirmed,
        extra: account.extra.clone(),
    }
}

fn order(
    contract: &Contract,
    customer: Party,
    supplier: &Party,
    day: jiff::civil::Date,
) -> Result<Document, Failure> {
    let lines = contract.lines.iter().flatten().map(|line| DocumentLine {
        id: line.id.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount_percent: line.discount_percent,
        tax_class: line.tax_class.clone(),
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

fn bill(
    invoice: &Invoice,
    customer: Party,
    supplier: &Party,
    day: jiff::civil::Date,
) -> Result<Document, Failure> {
    let lines = invoice.lines.iter().flatten().map(|line| DocumentLine {
        id: line.id.clone(),
        name: line.name.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        discount_percent: line.discount_percent,
        tax_class: line.tax_class.clone(),
        extra: line.extra.clone(),
    });
    let kind = match invoice.kind {
        Some(InvoiceKind::CreditNote) => DocumentKind::CreditNote,
        Some(InvoiceKind::Invoice) | None => DocumentKind::Invoice,
    };
    Ok(Document {
        entity: invoice.entity.clone(),
        kind,
        tax_point: invoice.tax_point.or(invoice.issued).unwrap_or(day),
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
