//! What operators ask of reconciliation, in its own words: admin knows neither the systems nor who compares them.

use std::sync::Arc;

use cambist_admin::{NotReconciled, Reconcile, Reconciled, Reconciling};
use cambist_reconcile::{Asked, ReconcileError, Reconciler};

/// What the operators' side calls.
pub(crate) fn asked(reconciler: Arc<Reconciler>) -> Reconcile {
    Arc::new(move |wanted| {
        let reconciler = Arc::clone(&reconciler);
        Box::pin(async move { compare(&reconciler, wanted).await })
    })
}

async fn compare(reconciler: &Reconciler, wanted: Reconciling) -> Reconciled {
    let period = wanted.period.map(|text| text.parse()).transpose();
    let asked = Asked {
        flow: wanted.flow,
        region: wanted.region,
        period: period.map_err(|why| NotReconciled::Unknown(format!("the body: `period`: {why}")))?,
    };
    let reports = reconciler.compare(&asked).await.map_err(|error| match error {
        ReconcileError::Unknown(_) => NotReconciled::Unknown(error.to_string()),
        error => NotReconciled::Trouble(error.to_string()),
    })?;
    let written: Result<Vec<_>, _> = reports.iter().map(serde_json::to_value).collect();
    written.map_err(|error| NotReconciled::Trouble(error.to_string()))
}
