//! What wasmtime makes of `wit/v0.1.0`. Generated and nothing else.

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "plugin",
    imports: { default: trappable },
    // what a guest is handed borrows the host's texts: no copy of each before the copy into the guest
    ownership: Borrowing { duplicate_if_necessary: true },
});
