//! The external ids by which our records are found in Odoo for ever after.
//!
//! `cambist.SYSTEM_KIND_ID`, such as `cambist.hubspot-eu_account_901`. Odoo takes
//! ids with one dot and no space, and a comma would split a list of them. So
//! letters, digits and `-` stand for themselves, and every other byte of the
//! UTF-8 text is `~` and two hex digits; `_` between the parts is then never
//! part of one. Entities that differ get ids that differ.

use cambist_sdk::prelude::*;

/// The module that all our records belong to.
const MODULE: &str = "cambist.";

/// What a line of a bill is called in ids.
const BILL_LINE: &str = "bill-line";

/// Every kind, by whose words ids are read.
const KINDS: [EntityKind; 10] = [
    EntityKind::Account,
    EntityKind::Contact,
    EntityKind::Opportunity,
    EntityKind::Contract,
    EntityKind::Project,
    EntityKind::Resource,
    EntityKind::Timesheet,
    EntityKind::Expense,
    EntityKind::Invoice,
    EntityKind::Payment,
];

/// The external id of an entity.
pub(crate) fn of(name: &EntityRef) -> String {
    join(&name.system, name.kind.word(), &[&name.id])
}

/// What the record of an entity is found by in a system: the system's own id where it was
/// born there, else our external id.
pub(crate) fn key(target: &str, name: &EntityRef) -> RecordKey {
    match name.system == target {
        true => RecordKey::Own(name.id.clone()),
        false => RecordKey::External(of(name)),
    }
}

/// The entity that [`of`] gave this external id; none for any other.
pub(crate) fn entity(text: &str) -> Option<EntityRef> {
    let mut parts = text.strip_prefix(MODULE)?.split('_');
    let (system, kind, id) = (parts.next()?, parts.next()?, parts.next()?);
    let kind = KINDS.into_iter().find(|known| known.word() == kind)?;
    let entity = EntityRef::new(kind, unescape(system)?, unescape(id)?);
    // nothing behind it, and written as we write
    (of(&entity) == text).then_some(entity)
}

/// What [`escape`] wrote.
fn unescape(part: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'~' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                u8::try_from(digit(rest.next()?)? * 16 + digit(rest.next()?)?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The external id of a contract's line.
pub(crate) fn of_line(contract: &EntityRef, line: &str) -> String {
    join(&contract.system, "line", &[&contract.id, line])
}

/// The external id of a bill's line. That of a line that bills a milestone ends with the milestone's id, so that the books
/// themselves tell which milestones are billed.
pub(crate) fn of_bill_line(bill: &EntityRef, line: &InvoiceLine) -> String {
    match &line.milestone {
        Some(milestone) => join(&bill.system, BILL_LINE, &[&bill.id, &line.id, milestone]),
        None => join(&bill.system, BILL_LINE, &[&bill.id, &line.id]),
    }
}

/// The milestone that a line bills to which [`of_bill_line`] gave this external id.
pub(crate) fn milestone_of_bill_line(text: &str) -> Option<String> {
    let mut parts = text.strip_prefix(MODULE)?.split('_').skip(1);
    let is_of_bill = parts.next()? == BILL_LINE;
    parts.nth(2).filter(|_| is_of_bill).and_then(unescape)
}

/// The external id of a project's milestone.
pub(crate) fn of_milestone(project: &EntityRef, milestone: &str) -> String {
    join(&project.system, "milestone", &[&project.id, milestone])
}

/// The external id of a product that is made for an article number, or for lines
/// that have none. What Odoo makes of a service when it is sold is set on the
/// product, so each way to bill has its own.
pub(crate) fn of_product(system: &str, policy: &str, sku: Option<&str>) -> String {
    match sku {
        Some(sku) => join(system, "product", &[policy, sku]),
        None => join(system, "service", &[policy]),
    }
}

fn join(system: &str, kind: &str, parts: &[&str]) -> String {
    let length: usize = parts.iter().map(|part| part.len() + 1).sum();
    let mut id = String::with_capacity(MODULE.len() + system.len() + kind.len() + length + 8);
    id.push_str(MODULE);
    escape(&mut id, system);
    id.push('_');
    id.push_str(kind);
    for part in parts {
        id.push('_');
        escape(&mut id, part);
    }
    id
}

/// Which bytes stand for themselves: looked up, because each of some hundred bytes in
/// a plan's ids is asked for.
const ITSELF: [bool; 256] = {
    let mut all = [false; 256];
    let (mut byte, mut rest) = (0_u8, all.as_mut_slice());
    while let [first, more @ ..] = rest {
        *first = byte.is_ascii_alphanumeric() || byte == b'-';
        (byte, rest) = (byte.wrapping_add(1), more);
    }
    all
};

fn escape(to: &mut String, part: &str) {
    let stands_for_itself = |byte: u8| ITSELF.get(usize::from(byte)).is_some_and(|itself| *itself);
    if part.bytes().all(stands_for_itself) {
        return to.push_str(part);
    }
    for byte in part.bytes() {
        if stands_for_itself(byte) {
            to.push(char::from(byte));
        } else {
            to.push('~');
            for digit in [byte >> 4, byte & 15] {
                to.extend(char::from_digit(digit.into(), 16));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    /// Texts in which separators and escapes are frequent.
    fn part() -> impl Strategy<Value = String> {
        prop_oneof!["[a~_.5f -]{0,6}", any::<String>()]
    }

    proptest! {
        #[test]
        fn entities_that_differ_have_ids_that_differ(
            one in (select(&KINDS[..]), part(), part()),
            other in (select(&KINDS[..]), part(), part()),
        ) {
            let id = |it: &(EntityKind, String, String)| of(&EntityRef::new(it.0, &it.1, &it.2));
            prop_assert_eq!(one == other, id(&one) == id(&other));
        }

        #[test]
        fn lines_milestones_and_products_differ_by_all_their_parts(
            one in (part(), part(), part()),
            other in (part(), part(), part()),
        ) {
            let line = |it: &(String, String, String)| {
                of_line(&EntityRef::new(EntityKind::Contract, &it.0, &it.1), &it.2)
            };
            let milestone = |it: &(String, String, String)| {
                of_milestone(&EntityRef::new(EntityKind::Project, &it.0, &it.1), &it.2)
            };
            let product = |it: &(String, String, String)| of_product(&it.0, &it.1, Some(&it.2));
            prop_assert_eq!(one == other, line(&one) == line(&other));
            prop_assert_eq!(one == other, milestone(&one) == milestone(&other));
            prop_assert_eq!(one == other, product(&one) == product(&other));
            prop_assert_ne!(line(&one), milestone(&one));
        }

        #[test]
        fn an_id_is_one_that_odoo_takes(system in part(), id in part()) {
            let id = of(&EntityRef::new(EntityKind::Account, system, id));
            prop_assert_eq!(id.matches('.').count(), 1);
            prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_~.".contains(&byte)));
        }
    }

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_entity(kind in select(&KINDS[..]), system in part(), id in part()) {
            let entity = EntityRef::new(kind, system, id);
            prop_assert_eq!(super::entity(&of(&entity)), Some(entity));
        }

        #[test]
        fn what_is_no_id_of_an_entity_leads_nowhere(
            id in prop_oneof!["(cambist\\.)?[a~_.5f -]{0,9}", any::<String>()],
        ) {
            if let Some(entity) = super::entity(&id) {
                prop_assert_eq!(of(&entity), id);
            }
        }
    }

    #[test]
    fn usual_names_stay_readable() {
        let account = EntityRef::new(EntityKind::Account, "hubspot-eu", "901");
        assert_eq!(of(&account), "cambist.hubspot-eu_account_901");
        let contract = EntityRef::new(EntityKind::Contract, "hubspot-eu", "7");
        assert_eq!(of_line(&contract, "l.1"), "cambist.hubspot-eu_line_7_l~2e1");
    }
}
