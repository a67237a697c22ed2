//! The scenarios against the dry-run target, a file each.

mod check;
mod crash;
mod life;
mod load;
mod master_data;
mod operate;
mod order;
mod plugins;
mod policy;
mod quiet;
mod receipt;
mod repair;
mod source;
mod stop;
mod target;
mod traces;
mod trust;
mod way;
