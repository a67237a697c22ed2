//! A plugin's last words: gets the text of a panic to the host.
//!
//! A plugin has no console, and a trap carries no text. The hook hands the
//! panic's place and message to `log.panicked` before the trap.

/// Sets the hook. Called by the export macro at the start of each call; does
/// nothing outside WebAssembly, where the test runner shows panics.
pub fn report_to_host() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|info| {
        crate::bindings::imports::cambist::plugin::log::panicked(&info.to_string());
    }));
}
