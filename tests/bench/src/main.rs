//! Measures what the host costs, as ratios of what the same machine does natively
//! in the same run: `cargo run --release -p cambist-bench -- --json`.

mod clock;
mod mapping;

use anyhow::Result;

#[expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
fn main() -> Result<()> {
    let mapping = ["small-deal", "deal"]
        .into_iter()
        .map(mapping::measure)
        .collect::<Result<Vec<_>>>()?;
    println!("{}", serde_json::to_string_pretty(&mapping)?);
    Ok(())
}
