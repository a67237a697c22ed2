//! A plugin's last words: gets the text of a panic to the host.
//!
//! A plugin has no console, and a trap carries no text. The hook hands the
//! panic's place and message to `log.panicked` before the trap, piece by piece.

/// Bytes in one number, as `log.wit` says.
#[cfg(any(target_arch = "wasm32", test))]
const BYTES: usize = 6;

/// Bytes that one call of the host takes.
#[cfg(any(target_arch = "wasm32", test))]
const PIECE: usize = 8 * BYTES;

/// Pieces that are told. A panic's message is a sentence; of what is longer, such as
/// a value that was printed, the host keeps no more than the beginning.
#[cfg(target_arch = "wasm32")]
const PIECES: usize = 16;

/// Sets the hook. Called by the export macro at the start of each call; does
/// nothing outside WebAssembly, where the test runner shows panics.
pub fn report_to_host() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|info| {
        for piece in info.to_string().as_bytes().chunks(PIECE).take(PIECES) {
            let [a, b, c, d, e, f, g, h] = numbers(piece);
            crate::bindings::imports::cambist::plugin::log::panicked((a, b, c, d, e, f, g, h));
        }
    }));
}

/// Up to [`PIECE`] bytes as numbers, the first byte in the lowest place.
#[cfg(any(target_arch = "wasm32", test))]
fn numbers(piece: &[u8]) -> [u64; PIECE / BYTES] {
    let mut numbers = [0; PIECE / BYTES];
    for (number, bytes) in numbers.iter_mut().zip(piece.chunks(BYTES)) {
        for byte in bytes.iter().rev() {
            *number = *number << 8 | u64::from(*byte);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_in_the_lowest_place_and_the_rest_is_zero() {
        let text = "a panic, and é at a seam";
        let numbers = numbers(text.as_bytes());
        assert!(numbers.iter().all(|number| *number < 1 << 48));
        let told: Vec<u8> = numbers
            .into_iter()
            .flat_map(|number| number.to_le_bytes().into_iter().take(BYTES))
            .collect();
        let (said, rest) = told.split_at(text.len());
        assert_eq!(said, text.as_bytes());
        assert!(rest.iter().all(|byte| *byte == 0));
    }
}
