//! Runs the folders under `cases/` natively.

#[test]
fn cases() {
    cambist_sdk::cases::Cases::of_crate(env!("CARGO_MANIFEST_DIR")).policy::<policy_deal_desk::DealDesk>();
}
