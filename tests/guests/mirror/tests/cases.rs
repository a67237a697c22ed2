//! Runs the folders under `cases/` natively: the SDK of today says what it said when the
//! component was built that is kept.

use mirror::Mirror;

#[test]
fn cases() {
    let cases = cambist_sdk::cases::Cases::of_crate(env!("CARGO_MANIFEST_DIR"));
    cases.mapping::<Mirror>();
    cases.policy::<Mirror>();
    cases.tax::<Mirror>();
    cases.invoicing::<Mirror>();
}
