//! What is read of both sides for one month: pages of deals, orders and invoices, and from the journal which belong together.

use std::collections::{BTreeMap, BTreeSet};

use cambist_connect::{
    Systems,
    books::{self, Books, Invoice, Order},
    sales::{self, Deal, Sales},
};
use cambist_contract::canonical::{EntityKind, EntityRef};
use cambist_journal::Journal;
use jiff::Timestamp;

use crate::{
    compare::{Pair, Sides},
    comparison::{Comparison, Region},
    period::Period,
    reconciler::ReconcileError,
    report::Named,
};

/// Most deals of one month, of all regions of a flow, and most orders of one ERP: some 50 MB in memory, and an hour of
/// searches at HubSpot's pace.
pub const MOST: usize = 100_000;

/// What a deal's messages are about, in their own word.
pub(crate) const DEAL: &str = "deal";

/// A deal by its CRM and its id there.
type Name = (String, String);

/// Where both sides are read.
pub(crate) struct Gather<'a> {
    pub journal: &'a dyn Journal,
    pub systems: &'a Systems,
    pub comparison: &'a Comparison,
    pub period: Period,
}

/// The deals that were read.
#[derive(Default)]
struct Deals {
    /// Every one, none for those that are not there.
    known: BTreeMap<Name, Option<Deal>>,
    /// Those that were won in the month, by region.
    won: BTreeMap<String, Vec<Name>>,
}

/// One ERP, while its books are read.
struct Book<'a> {
    erp: &'a str,
    books: &'a dyn Books,
    /// The regions whose books it has. What comes from no region's deal is the first one's.
    regions: Vec<(&'a str, &'a Region)>,
    /// Orders by their ids.
    orders: BTreeMap<String, Order>,
    /// Which deal an order comes from; none for one that comes from none.
    origins: BTreeMap<String, Option<Name>>,
}

impl Gather<'_> {
    /// Reads all of it, by region.
    ///
    /// # Errors
    ///
    /// A system or the journal could not be asked, or there is more than is compared.
    pub(crate) async fn sides(&self) -> Result<BTreeMap<String, Sides>, ReconcileError> {
        let mut deals = self.won().await?;
        let mut by_erp: BTreeMap<&str, Vec<(&str, &Region)>> = BTreeMap::new();
        for (name, region) in &self.comparison.regions {
            by_erp
                .entry(region.erp.as_str())
                .or_default()
                .push((name.as_str(), region));
        }
        let mut all = BTreeMap::new();
        for (erp, regions) in by_erp {
            let books = self
                .systems
                .books(erp)
                .ok_or_else(|| ReconcileError::NotComparable(erp.to_owned()))?;
            let book = Book {
                erp,
                books: books.as_ref(),
                regions,
                orders: BTreeMap::new(),
                origins: BTreeMap::new(),
            };
            all.extend(self.of_erp(book, &mut deals).await?);
        }
        Ok(all)
    }

    fn sales(&self, crm: &str) -> Result<std::sync::Arc<dyn Sales>, ReconcileError> {
        self.systems
            .sales(crm)
            .ok_or_else(|| ReconcileError::NotComparable(crm.to_owned()))
    }

    /// The deals that were won in the month.
    async fn won(&self) -> Result<Deals, ReconcileError> {
        let regions = self.comparison.regions.values();
        let spans: Result<Vec<_>, _> = regions.map(|region| self.period.moments(&region.zone)).collect();
        let spans = spans?;
        let (from, to) = (
            spans.iter().map(|it| it.0).min(),
            spans.iter().map(|it| it.1).max(),
        );
        let mut deals = Deals::default();
        let (Some(from), Some(to)) = (from, to) else {
            return Ok(deals);
        };
        for (crm, options) in &self.comparison.crms {
            let sales = self.sales(crm)?;
            let properties = self.comparison.properties(options);
            let mut after: Option<String> = None;
            loop {
                let page = sales.won(&properties, (from, to), after.as_deref()).await?;
                after = page.last().map(|deal| deal.id.clone());
                let is_last = page.len() < sales::PAGE;
                for deal in page {
                    self.take(&mut deals, crm, deal);
                }
                self.within(crm, deals.known.len())?;
                if is_last {
                    break;
                }
            }
        }
        Ok(deals)
    }

    /// Takes a deal in that was found by search.
    fn take(&self, deals: &mut Deals, crm: &str, deal: Deal) {
        let name = (crm.to_owned(), deal.id.clone());
        if let Some((region, of)) = self.comparison.region_of(crm, &deal)
            && self.is_of_month(deal.closed, of)
        {
            let won = deals.won.entry(region.to_owned()).or_default();
            won.push(name.clone());
        }
        deals.known.insert(name, Some(deal));
    }

    fn is_of_month(&self, closed: Option<Timestamp>, region: &Region) -> bool {
        closed.is_some_and(|closed| Period::of(closed, &region.zone) == self.period)
    }

    fn within(&self, system: &str, count: usize) -> Result<(), ReconcileError> {
        match count > MOST {
            true => Err(ReconcileError::TooMany {
                system: system.to_owned(),
                period: self.period,
            }),
            false => Ok(()),
        }
    }

    /// The sides of all regions whose books one ERP has.
    async fn of_erp(
        &self,
        mut book: Book<'_>,
        deals: &mut Deals,
    ) -> Result<BTreeMap<String, Sides>, ReconcileError> {
        let mut linked: BTreeMap<Name, Named> = BTreeMap::new();
        for (region, _) in &book.regions {
            for name in deals.won.get(*region).into_iter().flatten() {
                if let Some(order) = self.linked(book.erp, name).await? {
                    book.origins.insert(order.id.clone(), Some(name.clone()));
                    linked.insert(name.clone(), order);
                }
            }
        }
        let ids: Vec<String> = linked.values().map(|order| order.id.clone()).collect();
        book.read(&ids).await?;
        let dated = self.dated(&mut book).await?;
        let invoices = self.bills(&mut book).await?;
        self.look_up(&book, deals).await?;

        let mut sides: BTreeMap<String, Sides> = BTreeMap::new();
        for (region, _) in &book.regions {
            let of = sides.entry((*region).to_owned()).or_default();
            of.erp = book.erp.to_owned();
            for name in deals.won.get(*region).into_iter().flatten() {
                let linked = linked.get(name).cloned();
                let order = linked.as_ref().and_then(|linked| book.orders.get(&linked.id));
                of.pairs.push(Pair {
                    name: Some(deal_named(name)),
                    deal: deals.known.get(name).cloned().flatten(),
                    order: order.cloned(),
                    linked,
                    invoices: Vec::new(),
                    is_of_month: true,
                });
            }
        }
        self.others(&book, (deals, &linked, &dated), &mut sides);
        // whatever month it is of, an order's bills are compared to date
        let billed = self.billed(&book, &sides, &invoices).await?;
        for pair in sides.values_mut().flat_map(|sides| &mut sides.pairs) {
            let of = pair.order.as_ref().and_then(|order| billed.get(&order.id));
            pair.invoices = of.cloned().unwrap_or_default();
        }
        if let Some(first) = book
            .regions
            .first()
            .and_then(|(region, _)| sides.get_mut(*region))
        {
            first.alone = billed.get("").cloned().unwrap_or_default();
        }
        Ok(sides)
    }

    /// The order that was made of a deal, by what the journal knows. A contract bears its deal's id.
    async fn linked(&self, erp: &str, (crm, id): &Name) -> Result<Option<Named>, ReconcileError> {
        let contract = EntityRef {
            kind: EntityKind::Contract,
            system: crm.clone(),
            id: id.clone(),
        };
        let link = self.journal.link(&contract, erp).await?;
        Ok(link.and_then(|link| {
            Some(Named {
                system: erp.to_owned(),
                kind: link.model,
                id: link.id?,
                number: None,
            })
        }))
    }

    /// Orders that bear a time of the month: what is not known yet of them is read. Gives their ids.
    async fn dated(&self, book: &mut Book<'_>) -> Result<BTreeSet<String>, ReconcileError> {
        let Some((_, first)) = book.regions.first() else {
            return Ok(BTreeSet::new());
        };
        let moments = self.period.moments(&first.zone)?;
        let (mut after, mut ids) = (None::<String>, BTreeSet::new());
        loop {
            let page = book.books.orders_of(moments, after.as_deref()).await?;
            after = page.last().map(|order| order.id.clone());
            let is_last = page.len() < books::PAGE;
            ids.extend(page.iter().map(|order| order.id.clone()));
            self.hold(book, page).await?;
            self.within(book.erp, book.orders.len())?;
            if is_last {
                return Ok(ids);
            }
        }
    }

    /// Invoices of the month, by their ids, and the orders that they bill. Gives those that bill none.
    async fn bills(&self, book: &mut Book<'_>) -> Result<Vec<Invoice>, ReconcileError> {
        let mut alone = Vec::new();
        if !self.comparison.has_bills() {
            return Ok(alone);
        }
        let (days, mut after) = (self.period.days()?, None::<String>);
        loop {
            let page = book.books.invoices_of(days, after.as_deref()).await?;
            after = page.last().map(|invoice| invoice.id.clone());
            let is_last = page.len() < books::PAGE;
            let ids: Vec<String> = page.iter().map(|invoice| invoice.id.clone()).collect();
            let orders = match ids.is_empty() {
                true => Vec::new(),
                false => book.books.billed(&ids).await?,
            };
            let of: BTreeSet<&String> = orders.iter().flat_map(|order| &order.invoices).collect();
            alone.extend(page.iter().filter(|it| !of.contains(&it.id)).cloned());
            self.hold(book, orders).await?;
            self.within(book.erp, book.orders.len().max(alone.len()))?;
            if is_last {
                return Ok(alone);
            }
        }
    }

    /// Takes orders in, with the deals that they come from.
    async fn hold(&self, book: &mut Book<'_>, orders: Vec<Order>) -> Result<(), ReconcileError> {
        let new: Vec<Order> = orders
            .into_iter()
            .filter(|order| !book.orders.contains_key(&order.id))
            .collect();
        let names: Vec<EntityRef> = new
            .iter()
            .map(|order| EntityRef {
                kind: EntityKind::Contract,
                system: book.erp.to_owned(),
                id: order.id.clone(),
            })
            .collect();
        let known = self.journal.known(book.erp, &names).await?;
        for (order, known) in new.into_iter().zip(known) {
            let origin = known.origin.map(|origin| (origin.system, origin.id));
            book.origins.insert(order.id.clone(), origin);
            book.orders.insert(order.id.clone(), order);
        }
        Ok(())
    }

    /// Reads the deals of orders that no search has found: they are of another month, not won, or gone.
    async fn look_up(&self, book: &Book<'_>, deals: &mut Deals) -> Result<(), ReconcileError> {
        for (crm, options) in &self.comparison.crms {
            let of_crm = book
                .origins
                .values()
                .flatten()
                .filter(|(system, _)| system == crm);
            let unknown: BTreeSet<String> = of_crm
                .filter(|name| !deals.known.contains_key(name))
                .map(|(_, id)| id.clone())
                .collect();
            let unknown: Vec<String> = unknown.into_iter().collect();
            let sales = self.sales(crm)?;
            let properties = self.comparison.properties(options);
            for some in unknown.chunks(sales::PAGE) {
                let found = sales.deals(&properties, some).await?;
                deals
                    .known
                    .extend(some.iter().map(|id| ((crm.clone(), id.clone()), None)));
                deals.known.extend(
                    found
                        .into_iter()
                        .map(|deal| ((crm.clone(), deal.id.clone()), Some(deal))),
                );
            }
        }
        Ok(())
    }

    /// Adds what has an order and is no won deal of the month: whether it differs, or only its bills are compared, says its
    /// deal.
    fn others(
        &self,
        book: &Book<'_>,
        (deals, linked, dated): (&Deals, &BTreeMap<Name, Named>, &BTreeSet<String>),
        sides: &mut BTreeMap<String, Sides>,
    ) {
        let first = book.regions.first().map(|(region, _)| *region);
        for order in book.orders.values() {
            let name = book.origins.get(&order.id).and_then(Option::as_ref);
            if name.is_some_and(|name| linked.contains_key(name)) {
                continue;
            }
            // of a CRM that this flow is not from
            if name.is_some_and(|(crm, _)| !self.comparison.crms.contains_key(crm)) {
                continue;
            }
            let deal = name.and_then(|name| deals.known.get(name)).cloned().flatten();
            let region = match (name, &deal) {
                (Some((crm, _)), Some(deal)) => {
                    self.comparison.region_of(crm, deal).map(|(region, _)| region)
                }
                _ => first,
            };
            let Some(of) = region.and_then(|region| sides.get_mut(region)) else {
                continue;
            };
            let is_of_another_month = deal.as_ref().is_some_and(|deal| deal.is_won);
            of.pairs.push(Pair {
                name: name.map(deal_named),
                deal,
                linked: None,
                order: Some(order.clone()),
                invoices: Vec::new(),
                is_of_month: dated.contains(&order.id) && !is_of_another_month,
            });
        }
    }

    /// The posted invoices of all orders, by the order; under no name those that bill none. One that bills several is the
    /// first one's, as `map-odoo` reads it.
    async fn billed(
        &self,
        book: &Book<'_>,
        sides: &BTreeMap<String, Sides>,
        alone: &[Invoice],
    ) -> Result<BTreeMap<String, Vec<Invoice>>, ReconcileError> {
        let mut billed: BTreeMap<String, Vec<Invoice>> = BTreeMap::new();
        if !self.comparison.has_bills() {
            return Ok(billed);
        }
        billed.insert(String::new(), alone.to_vec());
        let orders = sides.values().flat_map(|sides| &sides.pairs);
        let orders = orders.filter_map(|pair| pair.order.as_ref());
        let ids: BTreeSet<String> = orders.flat_map(|order| order.invoices.iter().cloned()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        for some in ids.chunks(books::PAGE) {
            let mut first: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
            let orders = book.books.billed(some).await?;
            for order in &orders {
                let number = order.id.parse().unwrap_or(u64::MAX);
                for invoice in &order.invoices {
                    let known = first.entry(invoice.as_str()).or_insert((number, &order.id));
                    *known = (*known).min((number, &order.id));
                }
            }
            for invoice in book.books.invoices(some).await? {
                if let Some((_, order)) = first.get(invoice.id.as_str()) {
                    billed.entry((*order).to_owned()).or_default().push(invoice);
                }
            }
        }
        Ok(billed)
    }
}

impl Book<'_> {
    /// Reads orders by their ids.
    async fn read(&mut self, ids: &[String]) -> Result<(), ReconcileError> {
        for some in ids.chunks(books::PAGE) {
            for order in self.books.orders(some).await? {
                self.orders.insert(order.id.clone(), order);
            }
        }
        Ok(())
    }
}

fn deal_named((system, id): &Name) -> Named {
    Named {
        system: system.clone(),
        kind: DEAL.to_owned(),
        id: id.clone(),
        number: None,
    }
}
