//! What shadows answered: counted, and kept within bounds.

use std::collections::BTreeSet;

use cambist_contract::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _, named_params};

use super::{
    column::{Blob, Count, Text},
    trouble::{Trouble, unreadable},
};
use crate::comparison::{
    Compared, Comparison, Comparisons, KEPT_CALLS, KEPT_PATHS, Pair, Path, Tally, Took, Which,
};

/// A comparison with the text that is kept of it.
pub(super) struct Turn {
    compared: Compared,
    text: String,
}

impl Turn {
    /// Writes down what is kept of it, on the caller's thread.
    pub(super) fn new(compared: Compared) -> Result<Self, serde_json::Error> {
        let text = match &compared {
            Compared::Called(comparison) if comparison.differs() => serde_json::to_string(comparison)?,
            Compared::Called(_) | Compared::Skipped(..) => String::new(),
        };
        Ok(Self { compared, text })
    }

    pub(super) fn size(&self) -> usize {
        self.text.len()
    }
}

/// Counts and keeps.
pub(super) fn count(connection: &Connection, turns: &[Turn]) -> Result<(), Trouble> {
    for turn in turns {
        let pair = turn.compared.pair();
        let row = named_params! {
            ":plugin": pair.plugin,
            ":live": Blob(pair.live),
            ":shadow": Blob(pair.shadow),
            ":stage": pair.stage.name(),
        };
        connection
            .prepare_cached(
                "INSERT INTO tallies (plugin, live, shadow, stage) VALUES (:plugin, :live, :shadow, :stage)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(row)?;
        match &turn.compared {
            Compared::Skipped(_, times) => {
                connection
                    .prepare_cached(
                        "UPDATE tallies SET skipped = skipped + ?5
                         WHERE plugin = ?1 AND live = ?2 AND shadow = ?3 AND stage = ?4",
                    )?
                    .execute((
                        &pair.plugin,
                        Blob(pair.live),
                        Blob(pair.shadow),
                        pair.stage.name(),
                        Count(*times),
                    ))?;
            }
            Compared::Called(comparison) => {
                add(connection, comparison)?;
                if comparison.differs() {
                    add_paths(connection, comparison)?;
                    keep(connection, comparison, &turn.text)?;
                }
            }
        }
    }
    Ok(())
}

fn add(connection: &Connection, comparison: &Comparison) -> Result<(), Trouble> {
    let Comparison {
        pair,
        live_cost: live,
        shadow_cost: shadow,
        ..
    } = comparison;
    connection
        .prepare_cached(
            "UPDATE tallies SET compared = compared + 1, differ = differ + :differ, money = money + :money,
                 live_errors = live_errors + :live_error, shadow_errors = shadow_errors + :shadow_error,
                 live_fuel = live_fuel + :live_fuel, shadow_fuel = shadow_fuel + :shadow_fuel,
                 live_us = live_us + :live_us, shadow_us = shadow_us + :shadow_us
             WHERE plugin = :plugin AND live = :live AND shadow = :shadow AND stage = :stage",
        )?
        .execute(named_params! {
            ":plugin": pair.plugin,
            ":live": Blob(pair.live),
            ":shadow": Blob(pair.shadow),
            ":stage": pair.stage.name(),
            ":differ": comparison.differs(),
            ":money": comparison.differs_in_money(),
            ":live_error": live.error.is_some(),
            ":shadow_error": shadow.error.is_some(),
            ":live_fuel": Count(live.fuel),
            ":shadow_fuel": Count(shadow.fuel),
            ":live_us": Count(live.us),
            ":shadow_us": Count(shadow.us),
        })?;
    Ok(())
}

fn add_paths(connection: &Connection, comparison: &Comparison) -> Result<(), Trouble> {
    let pair = &comparison.pair;
    let places: BTreeSet<(String, bool)> = comparison
        .differences
        .iter()
        .map(|difference| (difference.place(), difference.money))
        .collect();
    for (path, money) in places {
        connection
            .prepare_cached(
                "INSERT INTO tallied_paths (plugin, shadow, stage, path, money, messages)
                 SELECT :plugin, :shadow, :stage, :path, :money, 1
                 WHERE (SELECT count(*) FROM tallied_paths WHERE plugin = :plugin AND shadow = :shadow) < :most
                     OR EXISTS (SELECT 1 FROM tallied_paths
                                WHERE plugin = :plugin AND shadow = :shadow AND stage = :stage AND path = :path)
                 ON CONFLICT DO UPDATE SET messages = messages + 1",
            )?
            .execute(named_params! {
                ":plugin": pair.plugin,
                ":shadow": Blob(pair.shadow),
                ":stage": pair.stage.name(),
                ":path": path,
                ":money": money,
                ":most": Count(KEPT_PATHS),
            })?;
    }
    Ok(())
}

fn keep(connection: &Connection, comparison: &Comparison, text: &str) -> Result<(), Trouble> {
    let pair = &comparison.pair;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO differing (plugin, shadow, live, stage, message, money, text)
             SELECT :plugin, :shadow, :live, :stage, :message, :money, :text
             WHERE (SELECT count(*) FROM differing WHERE plugin = :plugin AND shadow = :shadow) < :most",
        )?
        .execute(named_params! {
            ":plugin": pair.plugin,
            ":shadow": Blob(pair.shadow),
            ":live": Blob(pair.live),
            ":stage": pair.stage.name(),
            ":message": comparison.message.as_str(),
            ":money": comparison.differs_in_money(),
            ":text": text,
            ":most": Count(KEPT_CALLS),
        })?;
    Ok(())
}

/// What is known of a plugin's shadow. A file from before such things were kept has nothing.
pub(super) fn of(
    connection: &Connection,
    plugin: &str,
    shadow: &Digest,
    which: Which,
) -> Result<Comparisons, Trouble> {
    let is_kept = connection
        .query_row("SELECT 1 FROM sqlite_schema WHERE name = 'tallies'", [], |_| {
            Ok(())
        })
        .optional()?;
    if is_kept.is_none() {
        return Ok(Comparisons::default());
    }
    Ok(Comparisons {
        tallies: tallies(connection, plugin, shadow)?,
        paths: paths(connection, plugin, shadow)?,
        calls: calls(connection, plugin, shadow, which)?,
    })
}

fn tallies(connection: &Connection, plugin: &str, shadow: &Digest) -> Result<Vec<Tally>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT live, stage, compared, differ, money, live_errors, shadow_errors, skipped,
             live_fuel, live_us, shadow_fuel, shadow_us
         FROM tallies WHERE plugin = ?1 AND shadow = ?2 ORDER BY live, stage",
    )?;
    let told = statement.query_map((plugin, Blob(*shadow)), |row| {
        let count = |column: usize| row.get::<_, Count>(column).map(|count| count.0);
        let took = |fuel: usize, us: usize| {
            Ok::<_, rusqlite::Error>(Took {
                fuel: count(fuel)?,
                us: count(us)?,
                error: None,
            })
        };
        Ok(Tally {
            pair: Pair {
                plugin: plugin.to_owned(),
                live: row.get::<_, Blob>(0)?.0,
                shadow: *shadow,
                stage: row.get::<_, Text<_>>(1)?.0,
            },
            compared: count(2)?,
            differ: count(3)?,
            money: count(4)?,
            live_errors: count(5)?,
            shadow_errors: count(6)?,
            skipped: count(7)?,
            live_cost: took(8, 9)?,
            shadow_cost: took(10, 11)?,
        })
    })?;
    Ok(told.collect::<Result<_, _>>()?)
}

fn paths(connection: &Connection, plugin: &str, shadow: &Digest) -> Result<Vec<Path>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT stage, path, money, messages FROM tallied_paths WHERE plugin = ?1 AND shadow = ?2
         ORDER BY messages DESC, stage, path",
    )?;
    let told = statement.query_map((plugin, Blob(*shadow)), |row| {
        Ok(Path {
            stage: row.get::<_, Text<_>>(0)?.0,
            path: row.get(1)?,
            money: row.get(2)?,
            messages: row.get::<_, Count>(3)?.0,
        })
    })?;
    Ok(told.collect::<Result<_, _>>()?)
}

fn calls(
    connection: &Connection,
    plugin: &str,
    shadow: &Digest,
    which: Which,
) -> Result<Vec<Comparison>, Trouble> {
    let mut statement = connection.prepare_cached(
        "SELECT text FROM differing WHERE plugin = ?1 AND shadow = ?2 AND money >= ?3
         ORDER BY number DESC LIMIT ?4",
    )?;
    let limit = Count(which.limit.try_into().unwrap_or(u64::MAX >> 1));
    let mut rows = statement.query((plugin, Blob(*shadow), which.money, limit))?;
    let mut told = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        told.push(serde_json::from_str(&text).map_err(|error| unreadable(0, "a comparison", &error))?);
    }
    Ok(told)
}
