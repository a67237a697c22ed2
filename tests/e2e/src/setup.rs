//! The config of the host under test: three regions, five plugins, one flow.

use std::{fmt::Write as _, path::PathBuf};

use crate::odoo::Odoo;

/// The system that sends, by its name in the config.
pub const HUBSPOT: &str = "hubspot";
/// Another one, where a scenario has two.
pub const OTHER_HUBSPOT: &str = "hubspot-other";
/// The client secret that HubSpot signs with.
pub const CLIENT_SECRET: &str = "client-secret-canary-7d1f";
/// The last part of the address that Odoo's hints go to.
pub const ODOO_TOKEN: &str = "odoo-token-canary-3c7a9e51d2";
/// The operators' token.
pub const ADMIN_TOKEN: &str = "admin-token-canary-0123456789abcdef";
/// What the collector of traces wants to hear.
pub const COLLECTOR_KEY: &str = "Bearer collector-canary-5f2e";
/// Has both sides of the flow from HubSpot compared, with what it was told of its bills. Nothing counts as on its way because
/// it is young.
pub const RECONCILE: &str = r#"
[[reconcile]]
flow = "won-deals"
settle = "0s"
[reconcile.properties]
numbers = "invoice_numbers"
invoiced = "amount_invoiced"
paid = "amount_paid"
"#;
/// The host's address as the outside knows it: what HubSpot signs.
pub const PUBLIC_URL: &str = "https://hooks.example.com";

/// What may differ from scenario to scenario.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The real Odoo to deliver to; a dry run without one.
    pub odoo: Option<Odoo>,
    /// Where Odoo is reached, if not at its own address: a proxy of the test.
    pub odoo_address: Option<String>,
    /// Where HubSpot is reached, if not at its double's own address: a proxy of the test.
    pub hubspot_address: Option<String>,
    /// More settings of each Odoo, as the config writes them.
    pub odoo_settings: &'static str,
    /// In a dry run, where region `fr` has an Odoo that is in trouble.
    pub broken_odoo: Option<String>,
    /// In a dry run, whether that one is back: it has the same name, and takes all it is given.
    pub mended_odoo: bool,
    /// The address of a second HubSpot, [`OTHER_HUBSPOT`].
    pub other_hubspot: Option<String>,
    /// `per-document` or `per-line`, in all regions.
    pub rounding: &'static str,
    /// The waits after failed attempts, as the config writes them.
    pub waits: &'static [&'static str],
    /// Where traces go, if anywhere.
    pub collector: Option<String>,
    /// `RUST_LOG` of the host.
    pub log: &'static str,
    /// How long a read of HubSpot may take.
    pub read_time: &'static str,
    /// More bindings, as the config writes them.
    pub bindings: &'static str,
    /// With an Odoo: its books go back to HubSpot, by hints and by asking.
    pub back: bool,
    /// The `[[reconcile]]` of the config, as the config writes it.
    pub reconcile: &'static str,
    /// With an Odoo: what is approved in the books of the German company is billed there.
    pub bills: bool,
    /// More in the environment of the host, and of no other command.
    pub environment: Vec<(&'static str, PathBuf)>,
    /// The `[trust]` of the config, as the config writes it.
    pub trust: String,
    /// A whole config in the place of this one, with `HUBSPOT_ADDRESS`, `INGRESS_ADDRESS` and `ADMIN_ADDRESS` for the addresses.
    pub whole: Option<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            odoo: None,
            odoo_address: None,
            hubspot_address: None,
            odoo_settings: "",
            broken_odoo: None,
            mended_odoo: false,
            other_hubspot: None,
            rounding: "per-document",
            waits: &["50ms"; 8],
            collector: None,
            log: "info",
            read_time: "10s",
            bindings: "",
            back: false,
            reconcile: "",
            bills: false,
            environment: Vec::new(),
            trust: String::new(),
            whole: None,
        }
    }
}

impl Setup {
    /// Delivers to this Odoo.
    pub fn to_odoo(odoo: &Odoo) -> Self {
        Self {
            odoo: Some(odoo.clone()),
            ..Self::default()
        }
    }

    /// The text of `cambist.toml`. The secrets are where [`host`](crate::host)
    /// puts them.
    pub fn config(&self, hubspot: &str, ingress: &str, admin: &str) -> String {
        if let Some(text) = &self.whole {
            return text
                .replace("HUBSPOT_ADDRESS", hubspot)
                .replace("INGRESS_ADDRESS", ingress)
                .replace("ADMIN_ADDRESS", admin);
        }
        let waits: Vec<String> = self.waits.iter().map(|wait| format!("\"{wait}\"")).collect();
        let mut text = format!(
            r#"
[host]
listen = "{ingress}"
admin = "{admin}"
log = "json"

[admin]
token = {{ file = "admin-token" }}

[ingress]
public-url = "{PUBLIC_URL}"

[ingress.systems.{HUBSPOT}]
kind = "hubspot"
secrets = [{{ env = "E2E_CLIENT_SECRET" }}]

[connect]
waits = [{}]

[connect.systems.{HUBSPOT}]
kind = "hubspot"
address = "{hubspot}"
key = {{ env = "E2E_HUBSPOT_TOKEN" }}
read-time = "{}"
"#,
            waits.join(", "),
            self.read_time,
        );
        text.push_str(&PROPERTIES.replace("SYSTEM", HUBSPOT));
        if let Some(address) = &self.other_hubspot {
            let _ = write!(
                text,
                "\n[ingress.systems.{OTHER_HUBSPOT}]\nkind = \"hubspot\"\nsecrets = [{{ env = \"E2E_CLIENT_SECRET\" }}]\n\
                 \n[connect.systems.{OTHER_HUBSPOT}]\nkind = \"hubspot\"\naddress = \"{address}\"\n\
                 key = {{ env = \"E2E_HUBSPOT_TOKEN\" }}\n\
                 \n[region-of.{OTHER_HUBSPOT}]\ndefault = \"de\"\n"
            );
            text.push_str(&PROPERTIES.replace("SYSTEM", OTHER_HUBSPOT));
        }
        if let Some(endpoint) = &self.collector {
            let _ = write!(
                text,
                "\n[otlp]\nendpoint = \"{endpoint}\"\nauthorization = {{ env = \"E2E_COLLECTOR_KEY\" }}\n"
            );
        }
        self.targets(&mut text);
        if self.back || self.bills {
            text.push_str(HINTS);
        }
        if self.bills {
            text.push_str(&BILLS.replace("ROUNDING", self.rounding));
        }
        if self.back {
            text.push_str(BACK);
        }
        text.push_str(REGIONS);
        text.push_str(&BINDINGS.replace("ROUNDING", self.rounding));
        text.push_str(self.bindings);
        text.push_str(&self.trust);
        text.push_str(self.reconcile);
        text
    }

    fn targets(&self, text: &mut String) {
        let Some(odoo) = &self.odoo else {
            text.push_str("\n[connect.systems.dry]\nkind = \"dry-run\"\n");
            let mut targets = "\"*\" = \"dry\"".to_owned();
            if let Some(address) = &self.broken_odoo {
                let _ = write!(
                    text,
                    "\n[connect.systems.odoo-fr]\nkind = \"odoo\"\naddress = \"{address}\"\ndatabase = \"d\"\n\
                     key = {{ env = \"E2E_HUBSPOT_TOKEN\" }}\n"
                );
                targets += ", fr = \"odoo-fr\"";
            } else if self.mended_odoo {
                text.push_str("\n[connect.systems.odoo-fr]\nkind = \"dry-run\"\n");
                targets += ", fr = \"odoo-fr\"";
            }
            text.push_str(&self.flow(&targets));
            return;
        };
        let address = self.odoo_address.as_deref().unwrap_or_else(|| odoo.fact("URL"));
        let mut targets = Vec::new();
        for region in ["de", "fr", "in"] {
            let company = odoo.fact(&format!("COMPANY_{}", region.to_uppercase()));
            let database = odoo.fact("DB");
            let _ = write!(
                text,
                "\n[connect.systems.odoo-{region}]\nkind = \"odoo\"\naddress = \"{address}\"\ndatabase = \"{database}\"\n\
                 key = {{ env = \"E2E_ODOO_KEY\" }}\ncompany = {company}\n{}",
                self.odoo_settings
            );
            if self.back && region == "de" {
                text.push_str(ASKED);
            }
            if self.bills && region == "de" {
                text.push_str(ASKED_FOR_BILLS);
            }
            targets.push(format!("{region} = \"odoo-{region}\""));
        }
        text.push_str(&self.flow(&targets.join(", ")));
    }

    fn flow(&self, targets: &str) -> String {
        let mut from = format!("\"{HUBSPOT}\"");
        if self.other_hubspot.is_some() {
            let _ = write!(from, ", \"{OTHER_HUBSPOT}\"");
        }
        format!(
            "\n[[flows]]\nname = \"won-deals\"\nfrom = [{from}]\nevents = [\"deal.propertyChange\", \"company.propertyChange\", \"contact.propertyChange\", \"company.merge\", \"contact.merge\"]\nto = {{ {targets} }}\n"
        )
    }
}

/// What is read of a HubSpot beside the standard properties.
const PROPERTIES: &str = r#"
[connect.systems.SYSTEM.properties]
deals = ["region", "contract_terms", "delivery_owner_email", "purchase_order_number", "billing_method"]
companies = ["vat_id", "vat_id_confirmed_on", "legal_name", "payment_terms", "invoice_email"]
line-items = ["unit_of_measure", "tax_class"]
"#;

/// The Odoo of the German region is asked what has changed.
const ASKED: &str = r#"
[connect.systems.odoo-de.poll]
models = ["account.move", "res.partner", "project.project"]
every = "500ms"
deletions = "2s"
"#;

/// What Odoo hints at.
const HINTS: &str = r#"
[ingress.systems.odoo-de]
kind = "odoo"
tokens = [{ env = "E2E_ODOO_TOKEN" }]

[region-of.odoo-de]
default = "de"
"#;

/// The Odoo of the German region is asked what may be billed, by fields that `firm.rs` makes.
const ASKED_FOR_BILLS: &str = r#"
[connect.systems.odoo-de.bills]
order = ["x_billing", "x_cap", "x_terms"]
timesheet = ["x_approved"]

[connect.systems.odoo-de.poll]
models = ["sale.order", "account.analytic.line", "project.milestone"]
every = "500ms"
"#;

/// From what is approved in the books to a draft there.
const BILLS: &str = r#"
[[flows]]
name = "bills"
from = ["odoo-de"]
events = ["hint"]
objects = ["sale.order"]
to = { de = "odoo-de" }
stages = ["draft", "tax"]

[[bindings]]
stage = "read"
flow = "bills"
plugin = "map-odoo"
[bindings.settings.billing]
approved = { field = "x_approved" }
method = "x_billing"
cap = "x_cap"
terms = "x_terms"

[[bindings]]
stage = "draft"
plugin = "invoicing-services"
[bindings.settings]
rounding = "ROUNDING"
[bindings.settings.terms.quarters]
hours = { per = "entry", round = "up", step = "0.25" }
minimum-charge = { EUR = "500" }
"#;

/// The way back: what the books say of a deal, in properties of it.
const BACK: &str = r#"
[[flows]]
name = "books"
from = ["odoo-de"]
events = ["hint", "gone"]
to = { "*" = "hubspot" }
stages = []

[[bindings]]
stage = "read"
flow = "books"
plugin = "map-odoo"
[bindings.settings]
pricelists = { EUR = "testbed.pricelist_eur" }

[[bindings]]
stage = "write"
flow = "books"
plugin = "map-hubspot"
[bindings.settings.properties]
invoice-status = "invoice_status"
invoice-numbers = "invoice_numbers"
invoiced = "amount_invoiced"
paid = "amount_paid"
outstanding = "amount_outstanding"
project-status = "project_status"
"#;

/// Suppliers as the seeded Odoo has them: `tests/odoo/README.md`.
const REGIONS: &str = r#"
[region-of.hubspot]
pointer = "/deal/properties/region"
default = "de"

[regions.de.supplier]
name = "Muster GmbH"
tax-id = "DE136695976"
country = "DE"
city = "München"
postcode = "80331"

[regions.fr.supplier]
name = "Exemple SARL"
tax-id = "FR23334175221"
country = "FR"
city = "Lyon"
postcode = "69001"

[regions.in.supplier]
name = "Bharat Pvt Ltd"
tax-id = "24AAGCC7144L6ZD"
country = "IN"
subdivision = "IN-GJ"
city = "Ahmedabad"
postcode = "380001"
"#;

/// Settings as the plugins' READMEs show them.
const BINDINGS: &str = r#"
[[bindings]]
stage = "read"
plugin = "map-hubspot"
settings.milestones = [
  { id = "kickoff", name = "Kick-off", share-percent = "30", after-days = 14 },
  { id = "golive", name = "Go-live", share-percent = "70", after-days = 90 },
]

[[bindings]]
stage = "judge"
plugin = "policy-deal-desk"
[bindings.settings]
approved-terms = ["msa-2026"]
no-tax-id-countries = ["US"]
[[bindings.settings.currency-thresholds]]
currency = "EUR"
above = "50000"
role = "finance"
[[bindings.settings.currency-thresholds]]
currency = "USD"
above = "50000"
role = "finance"
[[bindings.settings.currency-thresholds]]
currency = "INR"
above = "5000000"
role = "finance"

[[bindings]]
stage = "tax"
plugin = "tax-eu-vat"
[bindings.settings]
rounding = "ROUNDING"
tax-classes = { books = "reduced" }

[[bindings]]
stage = "tax"
plugin = "tax-in-gst"
region = "in"
[bindings.settings]
rounding = "ROUNDING"
letter-of-undertaking = true
tax-classes = { hotel = "gst-5" }

[[bindings]]
stage = "write"
plugin = "map-odoo"
[bindings.settings]
pricelists = { EUR = "testbed.pricelist_eur" }
[bindings.settings.taxes]
"VAT/standard/19" = "account.2_tax_ust_19_skr03"
"VAT/reduced/7" = "account.2_tax_ust_7_skr03"
"VAT/reverse-charge/0" = "account.2_tax_free_eu_skr03"
"VAT/outside-scope/0" = "account.2_tax_free_third_country_skr03"

[[bindings]]
stage = "write"
plugin = "map-odoo"
region = "fr"
[bindings.settings]
pricelists = { EUR = "testbed.pricelist_eur" }
[bindings.settings.taxes]
"VAT/standard/20" = "account.3_tva_normale_encaissement"
"VAT/reverse-charge/0" = "account.3_tva_sale_service_intra_0"
"VAT/outside-scope/0" = "account.3_tva_sale_service_export_0"

[[bindings]]
stage = "write"
plugin = "map-odoo"
region = "in"
[bindings.settings]
pricelists = { INR = "testbed.pricelist_inr", USD = "testbed.pricelist_usd" }
[bindings.settings.taxes]
"CGST/standard/9+SGST/standard/9" = "account.4_sgst_sale_18"
"CGST/reduced/2.5+SGST/reduced/2.5" = "account.4_sgst_sale_5"
"IGST/reduced/5" = "account.4_igst_sale_5"
"IGST/standard/18" = "account.4_igst_sale_18"
"IGST/exported/0" = "account.4_igst_sale_0_sez_exp_lut"
"#;
