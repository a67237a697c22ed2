//! Who goes next: lanes side by side, each in its own order, so that a long one does not make the others wait.
//!
//! Lanes take turns by their weights (stride scheduling: each turn moves a lane on by the inverse of its weight, and the one
//! that is least far goes next). What is urgent has lanes of its own that go before, though not for ever. It is a data
//! structure and no more: what waits, and for what, is `door.rs`.

use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
};

/// How far a turn moves a lane of weight one. Weights beyond it count as this.
const STRIDE: u64 = 1 << 20;

/// Urgent turns in a row, before one of the others has one if any waits: they are late then and do not stand still.
const URGENT_IN_A_ROW: u32 = 7;

/// Where somebody lines up.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Lane {
    /// Its name: that of a region, or of a flow where the region is not known yet.
    pub(crate) name: String,
    /// How many turns it has beside a lane of weight one.
    pub(crate) weight: NonZeroU32,
    /// Whether it goes before those that are not.
    pub(crate) urgent: bool,
}

/// Those who wait.
pub(crate) struct Queue<T> {
    urgent: Class<T>,
    usual: Class<T>,
    in_a_row: u32,
}

struct Class<T> {
    lanes: BTreeMap<String, Waiting<T>>,
    /// How far the lane was that went last.
    reached: u64,
}

struct Waiting<T> {
    items: VecDeque<T>,
    weight: NonZeroU32,
    at: u64,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            urgent: Class::new(),
            usual: Class::new(),
            in_a_row: 0,
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.urgent.len() + self.usual.len()
    }

    /// Lines up at a lane's end.
    pub(crate) fn push(&mut self, lane: &Lane, item: T) {
        self.class(lane).push(lane, item);
    }

    /// Who goes next.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let urgent = self.usual.len() == 0 || self.in_a_row < URGENT_IN_A_ROW;
        if let Some(item) = urgent.then(|| self.urgent.pop()).flatten() {
            self.in_a_row += 1;
            return Some(item);
        }
        self.in_a_row = 0;
        self.usual.pop()
    }

    /// Makes room for one more of a lane, where another has more than its share, or is not urgent and this one is: the last
    /// one of the longest leaves.
    pub(crate) fn crowd_out(&mut self, lane: &Lane) -> Option<T> {
        let waiting = match lane.urgent {
            true if self.usual.len() > 0 => return self.usual.shorten(0, lane.weight),
            true => &mut self.urgent,
            false => &mut self.usual,
        };
        let own = waiting.lanes.get(&lane.name).map_or(0, |own| own.items.len());
        waiting.shorten(own + 1, lane.weight)
    }

    fn class(&mut self, lane: &Lane) -> &mut Class<T> {
        match lane.urgent {
            true => &mut self.urgent,
            false => &mut self.usual,
        }
    }
}

impl<T> Class<T> {
    fn new() -> Self {
        Self {
            lanes: BTreeMap::new(),
            reached: 0,
        }
    }

    fn len(&self) -> usize {
        self.lanes.values().map(|lane| lane.items.len()).sum()
    }

    fn push(&mut self, lane: &Lane, item: T) {
        let waiting = self.lanes.entry(lane.name.clone()).or_insert_with(|| Waiting {
            items: VecDeque::new(),
            weight: lane.weight,
            at: 0,
        });
        // the config may have changed
        waiting.weight = lane.weight;
        if waiting.items.is_empty() {
            // who was away has saved up nothing
            waiting.at = waiting.at.max(self.reached);
        }
        waiting.items.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        let waiting = self.lanes.values_mut().filter(|lane| !lane.items.is_empty());
        let next = waiting.min_by_key(|lane| lane.at)?;
        let item = next.items.pop_front()?;
        self.reached = next.at;
        next.at += (STRIDE / u64::from(next.weight.get())).max(1);
        Some(item)
    }

    /// Takes the last one of the lane that is the longest for its weight, if it is longer than `own` is for `weight`.
    fn shorten(&mut self, own: usize, weight: NonZeroU32) -> Option<T> {
        let times = |length: usize, weight: NonZeroU32| length as u128 * u128::from(weight.get());
        let longest = self.lanes.values_mut().max_by(|one, other| {
            times(one.items.len(), other.weight).cmp(&times(other.items.len(), one.weight))
        })?;
        if times(longest.items.len(), weight) <= times(own, longest.weight) {
            return None;
        }
        longest.items.pop_back()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lane(name: &str, weight: u32, urgent: bool) -> Lane {
        Lane {
            name: name.to_owned(),
            weight: NonZeroU32::new(weight).unwrap(),
            urgent,
        }
    }

    fn usual(name: &str) -> Lane {
        lane(name, 1, false)
    }

    /// The next ones, as one text.
    fn next(queue: &mut Queue<char>, count: usize) -> String {
        std::iter::from_fn(|| queue.pop()).take(count).collect()
    }

    #[test]
    fn lanes_take_turns_however_long_one_is() {
        let mut queue = Queue::new();
        for _ in 0..100 {
            queue.push(&usual("de"), 'd');
        }
        assert_eq!(next(&mut queue, 50), "d".repeat(50));
        for _ in 0..3 {
            queue.push(&usual("fr"), 'f');
        }
        // it goes within two turns, and has saved up nothing for the time it was away
        let order = next(&mut queue, 7);
        assert_eq!(order.matches('f').count(), 3, "{order}");
        assert!(order.starts_with("df") || order.starts_with("fd"), "{order}");
        assert!(!order.contains("ff"), "{order}");
    }

    #[test]
    fn a_lane_has_turns_by_its_weight() {
        let mut queue = Queue::new();
        for _ in 0..100 {
            queue.push(&lane("de", 3, false), 'd');
            queue.push(&usual("fr"), 'f');
        }
        let order = next(&mut queue, 40);
        assert_eq!(order.matches('d').count(), 30, "{order}");
    }

    #[test]
    fn what_is_urgent_goes_before_and_not_for_ever() {
        let mut queue = Queue::new();
        for _ in 0..20 {
            queue.push(&usual("de"), 'd');
            queue.push(&lane("de", 1, true), 'U');
        }
        assert_eq!(next(&mut queue, 17), "UUUUUUUdUUUUUUUdU");
    }

    #[test]
    fn who_has_less_than_its_share_crowds_the_longest_out() {
        let mut queue = Queue::new();
        for item in ['a', 'b', 'c', 'd'] {
            queue.push(&usual("de"), item);
        }
        assert_eq!(queue.crowd_out(&usual("de")), None, "the longest itself");
        assert_eq!(queue.crowd_out(&usual("fr")), Some('d'), "the last that came");
        queue.push(&usual("fr"), 'f');
        assert_eq!(queue.crowd_out(&usual("fr")), Some('c'));
        queue.push(&usual("fr"), 'g');
        assert_eq!(queue.crowd_out(&usual("fr")), None, "two and two are fair");
        assert_eq!(queue.crowd_out(&lane("it", 1, true)).map(|_| ()), Some(()));
        assert_eq!(queue.len(), 3);
    }

    #[test]
    fn what_is_usual_crowds_nothing_urgent_out() {
        let mut queue = Queue::new();
        for item in ['a', 'b', 'c'] {
            queue.push(&lane("de", 1, true), item);
        }
        assert_eq!(queue.crowd_out(&usual("fr")), None);
        assert_eq!(queue.crowd_out(&lane("fr", 1, true)), Some('c'));
    }

    proptest! {
        #[test]
        fn nobody_is_lost_and_each_lane_keeps_its_order(
            coming in prop::collection::vec((0_u32..4, 1_u32..4, any::<bool>()), 0..200),
        ) {
            let mut queue = Queue::new();
            for (at, (name, weight, urgent)) in coming.iter().enumerate() {
                queue.push(&lane(&name.to_string(), *weight, *urgent), (*name, *urgent, at));
            }
            let gone: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
            prop_assert_eq!(gone.len(), coming.len());
            for name in 0..4 {
                for urgent in [true, false] {
                    let of_lane = gone.iter().filter(|it| (it.0, it.1) == (name, urgent));
                    prop_assert!(of_lane.map(|it| it.2).is_sorted());
                }
            }
        }
    }
}
