//! The cases of this plugin, run natively.

#[test]
fn cases() {
    cambist_sdk::cases::Cases::of_crate(env!("CARGO_MANIFEST_DIR")).mapping::<map_odoo::Odoo>();
}
