//! The network between host and Odoo: each trouble at each kind of request of a deal's plan, once.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, ensure};
use cambist_doubles::{Proxy, Trouble};

use crate::{
    extent::Extent,
    run::{End, Run},
};

/// What goes wrong. The first three of the silent ones cost the time that a write may take.
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

/// The requests of a deal's plan: `load` of an upsert and of what is ensured, actions, and the reads about them.
const REQUESTS: [&str; 10] = [
    "/sale.order/action_confirm",
    "/sale.order/write",
    "/sale.order/action_confirm",
    "/res.partner/load",
    "/sale.order/load",
    "/product.product/load",
    "/sale.order.line/load",
    "/project.project/load",
    "/project.milestone/load",
    "/sale.order/read",
];

/// Which trouble happens at which request: all pairs, or each trouble and each request once.
fn cells(extent: &Extent) -> Vec<(Trouble, &'static str)> {
    let pairs = |trouble: Trouble| REQUESTS.iter().skip(1).map(move |request| (trouble, *request));
    match extent.all {
        true => TROUBLES.into_iter().flat_map(pairs).collect(),
        false => TROUBLES.into_iter().zip(REQUESTS.into_iter().cycle()).collect(),
    }
}

/// The run over a bad network.
pub(crate) async fn run(extent: &Extent) -> Result<Option<End>> {
    let Some(mut run) = Run::new("over a bad network", extent).await? else {
        return Ok(None);
    };
    let proxy = Proxy::start(run.odoo.fact("URL")).await?;
    run.world.setup.odoo_address = Some(proxy.url());
    let mut deals = run.season.round(1).into_iter();
    for (trouble, request) in cells(extent) {
        let Some(deal) = deals.next() else {
            anyhow::bail!("the season has fewer deals than there are troubles");
        };
        proxy.arm(trouble, move |asked| asked.path.ends_with(request));
        run.tell(&[deal], 1).await?;
        run.world
            .until(&format!("{trouble:?} at {request}"), async || {
                Ok((proxy.armed() == 0).then_some(()))
            })
            .await?;
    }
    let rest: Vec<_> = deals.collect();
    run.tell(&rest, 1).await?;
    run.world.settled().await?;
    // the troubles of the first round have each met a new record; now they meet what is there, several at once
    for round in 2..=extent.rounds {
        for (trouble, request) in cells(extent)
            .into_iter()
            .filter(|(trouble, _)| is_short(*trouble))
        {
            proxy.arm(trouble, move |asked| asked.path.ends_with(request));
        }
        run.in_peace(round..=round).await?;
        proxy.disarm();
    }
    let mut happened: BTreeMap<String, usize> = BTreeMap::new();
    for trouble in proxy.seen().iter().filter_map(|seen| seen.trouble) {
        *happened.entry(format!("{trouble:?}")).or_default() += 1;
    }
    ensure!(
        happened.len() == TROUBLES.len(),
        "some never happened: {happened:?}"
    );
    run.happened = happened
        .iter()
        .map(|(trouble, times)| format!("{trouble}: {times} times"))
        .collect();
    run.end().await.map(Some)
}

/// Whether it costs less than the time that a write may take.
fn is_short(trouble: Trouble) -> bool {
    !matches!(
        trouble,
        Trouble::SilentBefore | Trouble::SilentAfter | Trouble::Late
    )
}
