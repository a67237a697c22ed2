//! Both sides read in pages, paired by a real journal, in the months of their regions.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use cambist_connect::{
    ConnectError, Systems,
    books::{self, Books, Invoice, Order, OrderState},
    error::Again,
    sales::{self, Deal, Properties, Sales},
};
use cambist_contract::{
    canonical::{EntityKind, EntityRef},
    delivery::{Effect, Receipt},
    message::{Message, MessageId},
    stage::Stage,
};
use cambist_journal::{Event, Journal as _, Reports as _, store::SqliteJournal};
use cambist_reconcile::{Asked, Comparison, Crm, ReconcileError, Reconciler, Region, Report, report::Kind};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use tempfile::TempDir;

/// When all of it takes place.
const NOW: &str = "2026-11-20T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn number(id: &str) -> u64 {
    id.parse().unwrap()
}

/// Both systems at once.
#[derive(Default)]
struct Both {
    deals: Vec<Deal>,
    orders: Vec<Order>,
    /// How often the CRM does not answer, before it does.
    silent: AtomicUsize,
}

#[async_trait]
impl Sales for Both {
    async fn won(
        &self,
        _: &Properties,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Deal>, ConnectError> {
        let is_silent = self
            .silent
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if is_silent.is_ok() {
            return Err(ConnectError::NoAnswer {
                system: "crm".to_owned(),
                waited: Duration::ZERO,
                again: Again::Harmless,
            });
        }
        let is_there = |deal: &&Deal| {
            deal.is_won
                && deal.closed.is_some_and(|closed| (from..to).contains(&closed))
                && behind(&deal.id, after)
        };
        Ok(self
            .deals
            .iter()
            .filter(is_there)
            .take(sales::PAGE)
            .cloned()
            .collect())
    }

    async fn deals(&self, _: &Properties, ids: &[String]) -> Result<Vec<Deal>, ConnectError> {
        Ok(self
            .deals
            .iter()
            .filter(|deal| ids.contains(&deal.id))
            .cloned()
            .collect())
    }
}

#[async_trait]
impl Books for Both {
    async fn orders_of(
        &self,
        _: (Timestamp, Timestamp),
        after: Option<&str>,
    ) -> Result<Vec<Order>, ConnectError> {
        let all = self.orders.iter().filter(|order| behind(&order.id, after));
        Ok(all.take(books::PAGE).cloned().collect())
    }

    async fn orders(&self, ids: &[String]) -> Result<Vec<Order>, ConnectError> {
        assert!(ids.len() <= books::PAGE);
        Ok(self
            .orders
            .iter()
            .filter(|order| ids.contains(&order.id))
            .cloned()
            .collect())
    }

    async fn billed(&self, _: &[String]) -> Result<Vec<Order>, ConnectError> {
        Ok(Vec::new())
    }

    async fn invoices_of(&self, _: (Date, Date), _: Option<&str>) -> Result<Vec<Invoice>, ConnectError> {
        Ok(Vec::new())
    }

    async fn invoices(&self, _: &[String]) -> Result<Vec<Invoice>, ConnectError> {
        Ok(Vec::new())
    }
}

fn behind(id: &str, after: Option<&str>) -> bool {
    after.is_none_or(|after| number(id) > number(after))
}

impl Both {
    /// Deal number `n` of a region, won and closed at a time, with an order of the same amount.
    fn with(mut self, n: u64, region: &str, closed: &str) -> Self {
        self.deals.push(Deal {
            id: n.to_string(),
            is_won: true,
            closed: Some(at(closed)),
            changed: Some(at("2026-11-01T00:00:00Z")),
            amount: Some(Decimal::new(n.cast_signed(), 2)),
            currency: Some("EUR".to_owned()),
            region: Some(region.to_owned()),
            ..Deal::default()
        });
        self.orders.push(Order {
            id: (n + 10_000).to_string(),
            name: format!("S{n}"),
            state: OrderState::Confirmed,
            net: Decimal::new(n.cast_signed(), 2),
            currency: "EUR".to_owned(),
            changed: Some(at("2026-11-01T00:00:00Z")),
            invoices: Vec::new(),
        });
        self
    }
}

/// A host's journal, in which orders were made of deals.
struct Site {
    _folder: TempDir,
    journal: Arc<SqliteJournal>,
}

impl Site {
    async fn new(delivered: &[u64]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = Arc::new(SqliteJournal::open(folder.path().join("journal.db")).unwrap());
        let site = Self {
            _folder: folder,
            journal,
        };
        let receipts = delivered.iter().map(|n| Receipt {
            model: "sale.order".to_owned(),
            external_id: format!("x.{n}"),
            effect: Effect::Written,
            target_id: Some((n + 10_000).to_string()),
            written: None,
            stands_for: Some(EntityRef {
                kind: EntityKind::Contract,
                system: "crm".to_owned(),
                id: n.to_string(),
            }),
            fields: BTreeMap::new(),
        });
        let delivered = Event::Delivered {
            target: "erp".to_owned(),
            receipts: receipts.collect(),
        };
        site.receive("0", vec![delivered, Event::Done]).await;
        site
    }

    /// Takes in a message of a deal, and writes what happened to it.
    async fn receive(&self, deal: &str, events: Vec<Event>) {
        let id = MessageId::of("crm", deal);
        let message = Message {
            id: id.clone(),
            system: "crm".to_owned(),
            event: "deal.propertyChange".to_owned(),
            object_kind: "deal".to_owned(),
            object_id: deal.to_owned(),
            dedupe: deal.to_owned(),
            key: deal.to_owned(),
            occurred_at: at(NOW),
            received_at: at(NOW),
            headers: BTreeMap::new(),
            body: "{}".to_owned(),
        };
        self.journal.accept(vec![message]).await.unwrap();
        self.journal.record(&id, at(NOW), events).await.unwrap();
    }

    async fn compare(&self, both: Both, asked: Asked) -> Result<Vec<Report>, ReconcileError> {
        let both = Arc::new(both);
        let options = cambist_connect::options::Options {
            waits: Some(vec![Duration::ZERO.into(); 2]),
            ..Default::default()
        };
        let mut systems = Systems::new(&options, &BTreeMap::new(), None).unwrap();
        systems.insert_sales("crm", both.clone());
        systems.insert_books("erp", both);
        let region = |zone: &str| Region {
            zone: TimeZone::get(zone).unwrap(),
            erp: "erp".to_owned(),
        };
        let comparison = Comparison {
            options: toml::from_str("flow = \"won-deals\"\nmonths = 1").unwrap(),
            crms: [("crm".to_owned(), Crm::default())].into(),
            regions: [
                ("de".to_owned(), region("Europe/Berlin")),
                ("us".to_owned(), region("America/Chicago")),
            ]
            .into(),
        };
        let clock = Arc::new(|| at(NOW));
        let (journal, kept) = (self.journal.clone(), self.journal.clone());
        let reconciler = Reconciler::new(journal, kept, systems, clock, vec![comparison]);
        reconciler.compare(&asked).await
    }
}

fn totals(report: &Report) -> Vec<(u64, String, u64, String)> {
    let sums = report.sums.iter();
    sums.map(|it| {
        (
            it.crm.count,
            it.crm.sum.to_string(),
            it.erp.count,
            it.erp.sum.to_string(),
        )
    })
    .collect()
}

#[tokio::test]
async fn all_pages_of_both_sides_are_read() {
    let count = 2 * books::PAGE as u64 + 1;
    let all: Vec<u64> = (1..=count).collect();
    let site = Site::new(&all).await;
    let both = all.iter().fold(Both::default(), |both, n| {
        both.with(*n, "de", "2026-11-10T10:00:00Z")
    });
    let reports = site.compare(both, Asked::default()).await.unwrap();
    let [german, american] = reports.as_slice() else {
        unreachable!("{reports:?}")
    };
    // 1 + … + 1001 cents
    let sum = || "5015.01".to_owned();
    assert_eq!(totals(german), [(count, sum(), count, sum())]);
    assert!(german.differing.is_empty() && german.under_way.is_empty());
    assert_eq!((american.region.as_str(), totals(american)), ("us", Vec::new()));
    // and the journal keeps what it came to
    let kept: Vec<Report> = site
        .journal
        .reports()
        .await
        .unwrap()
        .iter()
        .map(|kept| serde_json::from_str(&kept.text).unwrap())
        .collect();
    assert_eq!(kept, reports);
}

#[tokio::test]
async fn a_deal_belongs_to_the_month_of_its_region() {
    let site = Site::new(&[1, 2, 3]).await;
    let both = || {
        Both::default()
            // half past midnight in Berlin, and half past six the evening before in Chicago
            .with(1, "de", "2026-10-31T23:30:00Z")
            .with(2, "us", "2026-10-31T23:30:00Z")
            .with(3, "nowhere", "2026-11-10T10:00:00Z")
    };
    let counts = |reports: &[Report]| -> Vec<u64> {
        reports
            .iter()
            .map(|report| report.sums.first().map_or(0, |it| it.crm.count))
            .collect()
    };
    let november = site.compare(both(), Asked::default()).await.unwrap();
    assert_eq!(counts(&november), [1, 0]);
    let october = Asked {
        period: Some("2026-10".parse().unwrap()),
        ..Asked::default()
    };
    let october = site.compare(both(), october).await.unwrap();
    assert_eq!(counts(&october), [0, 1]);
    // what is of another month, or of a region that is not compared, is no difference
    assert!(
        november
            .iter()
            .chain(&october)
            .all(|report| report.differing.is_empty())
    );
}

#[tokio::test]
async fn what_is_on_its_way_is_told_apart_from_what_stands_still() {
    let site = Site::new(&[1]).await;
    let mut both = [2, 3, 4, 5].into_iter().fold(Both::default(), |both, n| {
        both.with(n, "de", "2026-11-10T10:00:00Z")
    });
    both.orders.clear();
    both.deals[3].changed = Some(at("2026-11-20T11:59:00Z"));
    let parked = Event::Parked {
        stage: Stage::Write,
        code: "invalid".to_owned(),
        reason: "no country".to_owned(),
    };
    let failed = Event::Failed {
        stage: Stage::Deliver,
        attempt: 1,
        error: "no answer".to_owned(),
        retry_at: at("2026-11-20T13:00:00Z"),
    };
    site.receive("2", vec![failed]).await;
    site.receive("3", vec![parked]).await;
    let reports = site.compare(both, Asked::default()).await.unwrap();
    let named = |differences: &[cambist_reconcile::report::Difference]| -> Vec<(String, Kind, String)> {
        let reason =
            |it: &cambist_reconcile::report::Difference| it.why.as_ref().map(|why| why.reason.clone());
        differences
            .iter()
            .map(|it| {
                (
                    it.deal.clone().unwrap().id,
                    it.kind,
                    reason(it).unwrap_or_default(),
                )
            })
            .collect()
    };
    let differs = |id: &str, reason: &str| (id.to_owned(), Kind::NotWritten, reason.to_owned());
    assert_eq!(
        named(&reports[0].differing),
        [differs("3", "invalid: no country"), differs("4", "")]
    );
    // due in the journal, and changed a minute ago
    assert_eq!(
        named(&reports[0].under_way),
        [differs("2", "attempt 1 failed"), differs("5", "")]
    );
}

#[tokio::test]
async fn an_order_without_a_won_deal_is_named() {
    let site = Site::new(&[1, 2, 3]).await;
    let mut both = [1, 2, 3, 4].into_iter().fold(Both::default(), |both, n| {
        both.with(n, "de", "2026-11-10T10:00:00Z")
    });
    both.deals[1].is_won = false;
    both.deals.remove(2);
    // nobody made order 4 of deal 4, and there is no deal 4 either
    both.deals.pop();
    let reports = site.compare(both, Asked::default()).await.unwrap();
    let kinds: Vec<Kind> = reports[0].differing.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [Kind::NotWon, Kind::DealGone, Kind::NoDeal]);
    assert_eq!(
        totals(&reports[0]),
        [(1, "0.01".to_owned(), 4, "0.10".to_owned())]
    );
}

#[tokio::test]
async fn a_system_that_does_not_answer_is_asked_again_and_not_for_ever() {
    let site = Site::new(&[1]).await;
    let both = |silent| Both {
        silent: AtomicUsize::new(silent),
        ..Both::default().with(1, "de", "2026-11-10T10:00:00Z")
    };
    let reports = site.compare(both(2), Asked::default()).await.unwrap();
    assert_eq!(totals(&reports[0]).len(), 1);
    let error = site.compare(both(3), Asked::default()).await.unwrap_err();
    assert!(
        matches!(error, ReconcileError::Connect(ConnectError::NoAnswer { .. })),
        "{error}"
    );
    let nobody = Asked {
        flow: Some("nobody".to_owned()),
        ..Asked::default()
    };
    let error = site.compare(both(0), nobody).await.unwrap_err();
    assert!(matches!(error, ReconcileError::Unknown(_)), "{error}");
}
