//! Runs the folders under `cases/` natively.

#[test]
fn cases() {
    cambist_sdk::cases::Cases::of_crate(env!("CARGO_MANIFEST_DIR"))
        .invoicing::<invoicing_services::Services>();
}
