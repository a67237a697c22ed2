//! The scenarios against a real Odoo 19: `CAMBIST_ODOO_ENV` names the env file
//! that `tests/odoo/up.sh` prints; without it they are skipped, loudly.

mod amended;
mod bills;
mod books;
mod crash;
mod firm;
mod merged;
mod once;
mod reconcile;
mod replay;
mod shared;
mod tax;
mod tax_cases;
mod witness;
