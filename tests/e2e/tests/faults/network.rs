//! The network between host and Odoo: each trouble at each kind of request of a deal's plan.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use cambist_doubles::{Proxy, Trouble};
use cambist_e2e::{Deal, season::LAST};

use crate::{
    extent::Extent,
    run::{End, Run},
};

/// What goes wrong.
const TROUBLES: [Trouble; 16] = [
    Trouble::CutBefore,
    Trouble::CutDuring,
    Trouble::CutAfter,
    Trouble::SilentBefore,
    Trouble::SilentAfter,
    Trouble::Late,
    Trouble::Delayed(Duration::from_secs(2)),
    Trouble::Twice,
    Trouble::Again,
    Trouble::Truncated,
    Trouble::Trickled(Duration::from_millis(20)),
    Trouble::Refused(429),
    Trouble::Refused(502),
    Trouble::Refused(503),
    Trouble::GivenUp(504),
    Trouble::Html,
];

/// The requests of a deal's plan: `load` of an upsert and of what is ensured, the action, and the reads about them. One that a
/// deal of the season does not make, the action that only writes, is in `host/connect/tests/real_odoo/lost.rs`.
const REQUESTS: [&str; 9] = [
    "/sale.order/action_confirm",
    CUSTOMER,
    "/sale.order/load",
    "/product.product/load",
    "/sale.order.line/load",
    "/project.project/load",
    "/project.milestone/load",
    "/sale.order/read",
    "/ir.model.data/check_object_reference",
];

/// What only the first deal of a customer asks for.
const CUSTOMER: &str = "/res.partner/load";

/// Which trouble happens at which request: all pairs, or each trouble and each request once.
fn cells(extent: &Extent) -> Vec<(Trouble, &'static str)> {
    let pairs = |trouble: Trouble| REQUESTS.into_iter().map(move |request| (trouble, request));
    match extent.all {
        true => TROUBLES.into_iter().flat_map(pairs).collect(),
        false => {
            let troubles = TROUBLES.into_iter().filter(|trouble| is_short(*trouble));
            troubles.zip(REQUESTS.into_iter().cycle()).collect()
        }
    }
}

/// The run over a bad network.
pub(crate) async fn run(extent: &Extent) -> Result<Option<End>> {
    let Some(mut run) = Run::new("over a bad network", extent).await? else {
        return Ok(None);
    };
    let proxy = Proxy::start(run.odoo.fact("URL")).await?;
    run.world.setup.odoo_address = Some(proxy.url());
    let mut deals = run.season.round(1);
    for (trouble, request) in cells(extent) {
        let fits = |deal: &Deal| request != CUSTOMER || deal.customer_of == deal.id;
        let place = deals.iter().position(fits);
        let deal = deals.remove(place.context("the season has fewer deals than there are troubles")?);
        proxy.arm(trouble, move |asked| asked.path.ends_with(request));
        run.tell(&[deal], 1).await?;
        run.world
            .until(&format!("{trouble:?} at {request}"), async || {
                run.none_rests().await?;
                Ok((proxy.armed() == 0).then_some(()))
            })
            .await?;
    }
    run.tell(&deals, 1).await?;
    run.ended().await?;
    // the troubles of the first round have each met a new record; now they meet what is there, several at once
    for (trouble, request) in cells(extent) {
        if is_short(trouble) {
            proxy.arm(trouble, move |asked| asked.path.ends_with(request));
        }
    }
    run.in_peace(&[LAST]).await?;
    proxy.disarm();
    let mut happened: BTreeMap<String, usize> = BTreeMap::new();
    for trouble in proxy.seen().iter().filter_map(|seen| seen.trouble) {
        *happened.entry(format!("{trouble:?}")).or_default() += 1;
    }
    let kinds = TROUBLES
        .iter()
        .filter(|trouble| extent.all || is_short(**trouble));
    ensure!(
        happened.len() == kinds.count(),
        "some never happened: {happened:?}"
    );
    let sum: usize = happened.values().sum();
    run.happened = vec![format!("{sum} troubles")];
    let lines = happened
        .iter()
        .map(|(trouble, times)| format!("{trouble}: {times}"));
    run.happened.extend(lines);
    run.end().await.map(Some)
}

/// Whether it costs less than the time that a write may take.
fn is_short(trouble: Trouble) -> bool {
    !matches!(
        trouble,
        Trouble::SilentBefore | Trouble::SilentAfter | Trouble::Late
    )
}
