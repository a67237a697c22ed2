//! What the disk alone does: a write and `fdatasync`, in a loop.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::clock::median;

/// Writes that are measured.
const WRITES: usize = 400;

/// The median time of one write of `bytes` bytes with its `fdatasync`, appended to
/// one file.
pub(crate) fn sync_time(folder: &Path, bytes: usize) -> Result<Duration> {
    let mut file = File::create(folder.join("sync"))?;
    let block = vec![7; bytes];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    Ok(median(times))
}
