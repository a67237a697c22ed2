//! The scenarios against the dry-run target, a file each.

mod check;
mod crash;
mod disk;
mod erase;
mod journal;
mod life;
mod load;
mod master_data;
mod month_end;
mod operate;
mod order;
mod parked;
mod plugins;
mod policy;
mod quiet;
mod receipt;
mod reload;
mod repair;
mod rollout;
mod source;
mod stop;
mod swap;
mod target;
mod traces;
mod trust;
mod way;
