//! What commands answer, on standard output.
//!
//! `println!` panics where the reader has gone, as with `cambist messages | head`: that
//! is no fault of anybody's.

use std::{
    fmt,
    io::{ErrorKind, Write as _},
    sync::atomic::{AtomicBool, Ordering},
};

/// Whether an answer was lost on the way to a reader that was there.
static LOST: AtomicBool = AtomicBool::new(false);

/// Says a line.
macro_rules! say {
    () => {
        $crate::say::line(::std::format_args!(""))
    };
    ($($text:tt)+) => {
        $crate::say::line(::std::format_args!($($text)+))
    };
}

/// Writes a line. Where nobody reads it any more, the command goes on to its end.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let written = writeln!(std::io::stdout().lock(), "{text}");
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        LOST.store(true, Ordering::Relaxed);
        #[expect(clippy::print_stderr, reason = "there is nobody else to tell")]
        {
            eprintln!("cambist: cannot write the answer: {error}");
        }
    }
}

/// Says something beside the answer, on standard error: programs read the answer alone.
pub(crate) fn aside(text: &str) {
    #[expect(clippy::print_stderr, reason = "it is no part of the answer")]
    {
        eprintln!("cambist: {text}");
    }
}

/// Whether all that was said was written, or nobody was there to read it.
pub(crate) fn is_said() -> bool {
    !LOST.load(Ordering::Relaxed)
}
