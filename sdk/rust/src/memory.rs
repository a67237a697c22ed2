//! How a plugin copies memory.
//!
//! `memory.copy` is one instruction of WebAssembly, and in machine code a call of the host,
//! behind a look at its bounds and a count of its fuel. Most of what a mapping copies are
//! names and values of some ten bytes, of which that is the dearest part. So the build has
//! these copies come here (`sdk/build/src/copies.rs`): two words that may overlap where there is
//! little, a plain loop for more.

#![expect(unsafe_code, reason = "the build hands over pointers")]

/// Bytes of one turn of a loop.
const TURN: usize = 16;

/// What stands in the place of `memory.copy`.
///
/// # Safety
///
/// `from` can be read and `to` written for `size` bytes.
#[cfg(target_arch = "wasm32")]
#[unsafe(export_name = "cambist_copy")]
unsafe extern "C" fn copy(to: *mut u8, from: *const u8, size: usize) {
    // SAFETY: the caller's promise is passed on.
    unsafe { copied(to, from, size) }
}

/// Copies less than a turn, whether the two overlap or not: all is read before anything
/// is written.
///
/// # Safety
///
/// `from` can be read and `to` written for `size` bytes, which are fewer than [`TURN`].
#[inline(always)]
unsafe fn few(to: *mut u8, from: *const u8, size: usize) {
    // SAFETY: within `size`, as each branch has looked.
    unsafe {
        if size >= 8 {
            let first = from.cast::<u64>().read_unaligned();
            let last = from.add(size - 8).cast::<u64>().read_unaligned();
            to.cast::<u64>().write_unaligned(first);
            to.add(size - 8).cast::<u64>().write_unaligned(last);
        } else if size >= 4 {
            let first = from.cast::<u32>().read_unaligned();
            let last = from.add(size - 4).cast::<u32>().read_unaligned();
            to.cast::<u32>().write_unaligned(first);
            to.add(size - 4).cast::<u32>().write_unaligned(last);
        } else if size > 0 {
            let (first, middle, last) = (from.read(), from.add(size / 2).read(), from.add(size - 1).read());
            to.write(first);
            to.add(size / 2).write(middle);
            to.add(size - 1).write(last);
        }
    }
}

/// One turn: 16 bytes.
///
/// # Safety
///
/// They can be read.
#[inline(always)]
unsafe fn read(from: *const u8) -> (u64, u64) {
    // SAFETY: the caller's promise.
    unsafe {
        let words = from.cast::<u64>();
        (words.read_unaligned(), words.add(1).read_unaligned())
    }
}

/// # Safety
///
/// 16 bytes can be written.
#[inline(always)]
unsafe fn write(to: *mut u8, (one, two): (u64, u64)) {
    // SAFETY: the caller's promise.
    unsafe {
        let words = to.cast::<u64>();
        words.write_unaligned(one);
        words.add(1).write_unaligned(two);
    }
}

/// Copies from the beginning to the end.
///
/// # Safety
///
/// `from` can be read and `to` written for `size` bytes, a turn at least, and `to` is not
/// among those that are still to be read.
#[inline(always)]
unsafe fn forwards(to: *mut u8, from: *const u8, size: usize) {
    // SAFETY: `at` stays a turn below `size`.
    unsafe {
        let last = size - TURN;
        let end = read(from.add(last));
        let mut at = 0;
        while at < last {
            write(to.add(at), read(from.add(at)));
            at += TURN;
        }
        write(to.add(last), end);
    }
}

/// Copies from the end to the beginning.
///
/// # Safety
///
/// As for [`forwards`], seen from the other end.
#[inline(always)]
unsafe fn backwards(to: *mut u8, from: *const u8, size: usize) {
    // SAFETY: `left` stays a turn above zero.
    unsafe {
        let beginning = read(from);
        let mut left = size;
        while left > TURN {
            left -= TURN;
            write(to.add(left), read(from.add(left)));
        }
        write(to, beginning);
    }
}

/// Copies between places that may overlap.
///
/// # Safety
///
/// `from` can be read and `to` written for `size` bytes.
#[inline(always)]
unsafe fn copied(to: *mut u8, from: *const u8, size: usize) {
    // SAFETY: `to` is behind what is read, or before it.
    unsafe {
        if size < TURN {
            few(to, from, size);
        } else if (to as usize).wrapping_sub(from as usize) >= size {
            forwards(to, from, size);
        } else {
            backwards(to, from, size);
        }
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::copied;

    /// Bytes that are all different from their neighbours.
    fn counted() -> Vec<u8> {
        (0..200_u8).collect()
    }

    proptest! {
        #[test]
        fn what_is_copied_is_what_was_there(from in 0_usize..100, to in 0_usize..100, size in 0_usize..100) {
            let mut expected = counted();
            expected.copy_within(from..from + size, to);
            let mut bytes = counted();
            let start = bytes.as_mut_ptr();
            // SAFETY: 200 bytes.
            unsafe { copied(start.add(to), start.add(from), size) };
            prop_assert_eq!(bytes, expected);
        }

        #[test]
        fn what_is_copied_elsewhere_is_the_same(from in 0_usize..100, size in 0_usize..100) {
            let (source, mut bytes) = (counted(), [0_u8; 102]);
            // SAFETY: 200 bytes and 102.
            unsafe { copied(bytes.as_mut_ptr().add(1), source.as_ptr().add(from), size) };
            prop_assert_eq!(&bytes[1..=size], &source[from..from + size]);
            prop_assert_eq!((bytes[0], bytes[size + 1]), (0, 0));
        }
    }
}
