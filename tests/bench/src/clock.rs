//! Processor time, which is what a call costs whatever else runs; and medians.

use std::{cmp::Ordering, time::Duration};

use rustix::time::{ClockId, clock_gettime};

/// Calls between two looks at the clock, which takes a system call.
const CALLS: usize = 20;

/// Processor time of the calling thread so far.
pub(crate) fn thread_time() -> Duration {
    time(ClockId::ThreadCPUTime)
}

/// Processor time of all threads of this process so far.
pub(crate) fn process_time() -> Duration {
    time(ClockId::ProcessCPUTime)
}

fn time(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// A length of time in microseconds.
pub(crate) fn us(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1000.0
}

/// The time of one call of `call`, without that of `input`, which makes what each
/// call takes.
pub(crate) fn each<I, O>(calls: usize, input: impl Fn() -> I, mut call: impl FnMut(I) -> O) -> Duration {
    let batches = calls.div_ceil(CALLS);
    let mut total = Duration::ZERO;
    for _ in 0..batches {
        let inputs: Vec<I> = std::iter::repeat_with(&input).take(CALLS).collect();
        let started = thread_time();
        for input in inputs {
            drop(std::hint::black_box(call(std::hint::black_box(input))));
        }
        total += thread_time() - started;
    }
    total / u32::try_from(batches * CALLS).unwrap_or(u32::MAX)
}

/// What each function measures, in turns, so that what the machine does meanwhile
/// meets all of a turn alike.
pub(crate) fn turns<const N: usize>(
    turns: usize,
    mut functions: [&mut dyn FnMut() -> Duration; N],
) -> Vec<[Duration; N]> {
    let turn = || functions.each_mut().map(|function| function());
    std::iter::repeat_with(turn).take(turns).collect()
}

/// The one below which so many of a hundred are, of however many there are.
pub(crate) fn quantile<T: Copy + Default + Ord>(mut all: Vec<T>, percent: usize) -> T {
    all.sort();
    let last = all.len().saturating_sub(1);
    all.get(last * percent / 100).copied().unwrap_or_default()
}

/// The one in the middle.
pub(crate) fn median<T: Copy + Default + PartialOrd>(mut all: Vec<T>) -> T {
    all.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    all.get(all.len() / 2).copied().unwrap_or_default()
}
