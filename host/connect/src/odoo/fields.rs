//! Which fields of a record are read, where the config names none: those that `map-odoo` reads.
//!
//! A name with dots is a field of a record that it refers to.

/// Models with their fields. What Odoo has only with a module that this list does not
/// need (`sale_project`, `project`) is not among those of other models.
const READ: [(&str, &[&str]); 6] = [
    (
        "res.partner",
        &[
            "name",
            "is_company",
            "active",
            "vat",
            "street",
            "street2",
            "city",
            "zip",
            "country_code",
            "state_id.code",
            "parent_id",
            "property_payment_term_id",
            "function",
            "email",
            "phone",
            "website",
            "write_date",
            "write_uid",
        ],
    ),
    (
        "sale.order",
        &[
            "name",
            "state",
            "partner_id",
            "client_order_ref",
            "currency_id",
            "date_order",
            "amount_untaxed",
            "amount_total",
            "write_date",
            "write_uid",
        ],
    ),
    (
        "project.project",
        &[
            "name",
            "active",
            "partner_id",
            "sale_order_id",
            "last_update_status",
            "date_start",
            "date",
            "write_date",
            "write_uid",
        ],
    ),
    ("account.move", &MOVE),
    ("account.analytic.line", &TIMESHEET),
    (
        "account.payment",
        &[
            "payment_type",
            "partner_type",
            "state",
            "partner_id",
            "amount",
            "currency_id",
            "date",
            "payment_method_line_id",
            "write_date",
            "write_uid",
        ],
    ),
];

/// Of an invoice.
const MOVE: [&str; 18] = [
    "move_type",
    "name",
    "ref",
    "state",
    "payment_state",
    "partner_id",
    "currency_id",
    "invoice_date",
    "delivery_date",
    "invoice_date_due",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "amount_residual",
    "reversed_entry_id",
    "invoice_origin",
    "write_date",
    "write_uid",
];

/// Of time that was worked.
const TIMESHEET: [&str; 10] = [
    "name",
    "date",
    "unit_amount",
    "product_uom_id",
    "project_id",
    "employee_id",
    "so_line",
    "timesheet_invoice_id",
    "write_date",
    "write_uid",
];

/// Of a line of an order, as its bills need it.
pub(crate) const ORDER_LINE: [&str; 9] = [
    "name",
    "display_type",
    "product_id",
    "product_uom_id",
    "product_uom_qty",
    "price_unit",
    "discount",
    "is_downpayment",
    "qty_delivered_method",
];

/// Of a milestone.
pub(crate) const MILESTONE: [&str; 7] = [
    "name",
    "project_id",
    "deadline",
    "is_reached",
    "reached_date",
    "quantity_percentage",
    "sale_line_id",
];

/// Of a line of an invoice.
pub(crate) const INVOICE_LINE: [&str; 7] = [
    "move_id",
    "name",
    "display_type",
    "quantity",
    "price_unit",
    "discount",
    "sale_line_ids",
];

/// The usual fields of a model; none where it has to be named in the config.
pub(crate) fn usual(model: &str) -> Option<Vec<String>> {
    let (_, fields) = READ.iter().find(|(name, _)| *name == model)?;
    Some(fields.iter().map(|field| (*field).to_owned()).collect())
}
