//! Kills at moments of no plan, while many deals are on their way: new ones, and ones that change again and again.

use std::time::Duration;

use anyhow::{Result, ensure};
use cambist_e2e::season::LAST;

use crate::{extent::Extent, run::Run};

/// Deals that are under way when the host is killed, beside what the other runs ask of the same Odoo. All that wait for a turn
/// there begin their plan anew: of twenty hardly one was through in the life of a host.
const LOAD: usize = 6;

/// How long a host lives at most: about as long as it takes for a deal to be through.
const LIFE: u64 = 3_000;

/// Kills the host so many times as the extent says, and lets all end with the last round. `begun` of the deals had their
/// first round before. Gives the number of kills.
pub(crate) async fn run(run: &mut Run, extent: &Extent, begun: usize) -> Result<usize> {
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut rounds: Vec<u64> = (0..extent.keys).map(|_| 0).collect();
    rounds.iter_mut().take(begun).for_each(|round| *round = 1);
    for _ in 0..extent.kills {
        run.none_rests().await?;
        let due = run.due().await?;
        // the first of those that had the fewest rounds; of one that is under way nothing new is told, so that the first
        // round of each is through before its second
        let mut free: Vec<(u64, u64)> = (0..)
            .zip(&rounds)
            .map(|(key, round)| (*round, key))
            .filter(|(_, key)| !due.contains(&run.season.deal(*key, 1).object()))
            .collect();
        free.sort_unstable();
        free.truncate(LOAD.saturating_sub(due.len()));
        for (before, key) in free {
            let round = before + 1;
            let deal = run.season.deal(key, round);
            run.tell(&[deal], round).await?;
            if let Some(slot) = rounds.get_mut(usize::try_from(key)?) {
                *slot = round;
            }
        }
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        tokio::time::sleep(Duration::from_millis(dice % LIFE)).await;
        run.world.kill()?;
        run.world.restart(None).await?;
    }
    ensure!(
        rounds.iter().any(|round| *round > 0),
        "nothing was under way when the host was killed"
    );
    run.ended().await?;
    // a quick machine has had all of them by now, a slow one not
    let never = (0..).zip(&rounds).filter(|(_, round)| **round == 0);
    let never: Vec<_> = never.map(|(key, _)| run.season.deal(key, 1)).collect();
    run.tell(&never, 1).await?;
    run.ended().await?;
    run.in_peace(&[LAST]).await?;
    Ok(extent.kills)
}
