//! What probes are told.

use cambist_admin::answer::{Health, Problem};

use crate::double::{Site, at};

#[tokio::test]
async fn the_process_answers_whatever_is_missing() {
    let site = Site::new();
    let answer: Health = site.look("/healthz").await.read();
    assert_eq!(answer.status, "ok");
}

#[tokio::test]
async fn readiness_names_each_missing_plugin_with_its_reason() {
    let site = Site::new();
    let absent = site.look("/readyz").await;
    assert!(absent.is_problem(503, "not-ready"), "{absent:?}");
    let problem: Problem = serde_json::from_str(&absent.text).unwrap();
    let [missing] = problem.missing.try_into().unwrap();
    assert_eq!(missing.plugin, "deal-desk");
    assert_eq!(missing.reason, "there is no deal-desk.wasm in the plugin folder");
    assert!(absent.headers.contains_key("retry-after"));

    site.registry.offer("deal-desk", b"broken", at(0));
    let refused = site.look("/readyz").await.json();
    assert_eq!(
        refused["missing"][0]["reason"],
        "not a WebAssembly component: no magic"
    );

    site.registry.offer("deal-desk", b"good", at(0));
    site.look("/readyz").await.read::<Health>();

    // a broken newer file does not make the host unready: the good one is live
    site.registry.offer("deal-desk", b"broken", at(0));
    site.look("/readyz").await.read::<Health>();
}

#[tokio::test]
async fn other_addresses_and_methods_are_problems_too() {
    let site = Site::new();
    let answer = site.look("/").await;
    assert!(answer.is_problem(404, "not-found"), "{answer:?}");
    let answer = site.post("/healthz", "").await;
    assert!(answer.is_problem(405, "method-not-allowed"), "{answer:?}");
}
