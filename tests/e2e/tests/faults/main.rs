//! Whatever goes wrong on the way, the real Odoo ends as it does when nothing goes wrong.
//!
//! Three hosts do the same season's work, each with an Odoo database of its own: one in peace, one over a network that
//! loses, delays, repeats and breaks off (`network.rs`), one that is killed all the while (`kills.rs`, `under_load.rs`). Then
//! both sides of each are reconciled, and the three databases are compared: rows of every table, every field of every record
//! of ours, sums, states, and the order in which each record was written.
//!
//! Needs a real Odoo 19, as `tests/e2e/tests/odoo`, and takes some three minutes. `tests/run faults` sets
//! `CAMBIST_FAULTS=long`: each trouble at each kind of request, a kill at each append and each request of a deal's way, and
//! more at random.

mod extent;
mod kills;
mod network;
mod run;
mod under_load;

use std::io::Write as _;

use anyhow::{Result, ensure};
use cambist_e2e::season::LAST;

use crate::{extent::Extent, run::Run};

/// Says something of the run, past the test runner, in one piece.
pub(crate) fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn disturbed_or_not_odoo_ends_the_same() -> Result<()> {
    let extent = Extent::of_environment();
    let Some(mut peace) = Run::new("peace", &extent).await? else {
        return Ok(());
    };
    // the first host compiles the plugins for all
    peace.world.restart(None).await?;
    let in_peace = async {
        peace.in_peace(&[1, LAST]).await?;
        peace.end().await
    };
    let (undisturbed, over_network, killed) =
        tokio::try_join!(in_peace, network::run(&extent), kills::run(&extent))?;
    say(&format!("in peace: {}", undisturbed.summary()));
    let mut differs = Vec::new();
    for end in [over_network, killed].into_iter().flatten() {
        say(&format!("{}: {}", end.name, end.summary()));
        for what in &end.happened {
            say(&format!("    {what}"));
        }
        let found = undisturbed.picture.differs(&end.picture);
        say(&format!(
            "    compared with the run in peace: {}",
            if found.is_empty() {
                "the same".to_owned()
            } else {
                format!("{} differences", found.len())
            }
        ));
        for what in &found {
            say(&format!("    differs: {what}"));
        }
        differs.extend(found);
    }
    ensure!(differs.is_empty(), "{} differences, see above", differs.len());
    Ok(())
}
