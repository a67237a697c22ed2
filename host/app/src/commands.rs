//! The commands, a file each.

pub mod check;
pub mod demo;
pub mod journal;
pub mod links;
pub mod messages;
mod operator;
pub mod parked;
pub mod plugin;
pub mod reconcile;
pub mod release;
pub mod reload;
pub mod replay;
pub mod replays;
pub mod schema;
pub mod serve;
pub mod show;
pub mod status;
pub mod trace;
