//! Files that no host takes for a policy, each wrong in another way. What they are refused
//! with is asked in the sandbox's own tests.

use anyhow::Result;

/// A component that exports a policy which holds nothing, with `parts` in it.
fn hollow(parts: &str) -> Result<Vec<u8>> {
    exporting("cambist:plugin/policy@0.1.0", parts)
}

fn exporting(interface: &str, parts: &str) -> Result<Vec<u8>> {
    let text = format!(r#"(component {parts} (instance $empty) (export "{interface}" (instance $empty)))"#);
    Ok(wat::parse_str(text)?)
}

/// One core module, and so many instances of it.
fn instances(module: &str, count: usize) -> Result<Vec<u8>> {
    hollow(&(format!("(core module $m {module})") + &"(core instance (instantiate $m))".repeat(count)))
}

fn importing(name: &str) -> Result<Vec<u8>> {
    hollow(&format!(
        r#"(import "{name}" (instance (export "get" (func (result u64)))))"#
    ))
}

/// Every one of them, with what is wrong.
///
/// # Errors
///
/// One cannot be made.
pub fn refused() -> Result<Vec<(&'static str, Vec<u8>)>> {
    let good = super::by_hand("good")?;
    let mut changed = good.clone();
    // the first section's kind
    if let Some(byte) = changed.get_mut(8) {
        *byte ^= 0xff;
    }
    let mut large = good.clone();
    large.resize(40_000_000, 0);
    let own = "(type $t (resource (rep i32))) (core func $new (canon resource.new $t))";
    Ok(vec![
        ("empty", Vec::new()),
        ("no WebAssembly", b"this is no component".to_vec()),
        ("cut off", good.get(..good.len() / 2).unwrap_or_default().to_vec()),
        ("changed", changed),
        ("too large", large),
        ("a core module", wat::parse_str("(module)")?),
        ("nothing exported", wat::parse_str("(component)")?),
        ("for another stage", super::component("tax-eu-vat")?.to_vec()),
        (
            "an unknown generation",
            exporting("cambist:plugin/policy@0.9.0", "")?,
        ),
        ("another type", hollow("")?),
        ("WASI", importing("wasi:clocks/monotonic-clock@0.2.6")?),
        ("what is not granted", importing("cambist:plugin/links@0.1.0")?),
        ("what nobody has", importing("acme:things/secrets@1.0.0")?),
        (
            "an import of another type",
            importing("cambist:plugin/log@0.1.0")?,
        ),
        (
            "a loop at the start",
            instances("(func $f (loop (br 0))) (start $f)", 1)?,
        ),
        (
            "a trap at the start",
            instances("(func $f unreachable) (start $f)", 1)?,
        ),
        ("memory", instances("(memory 640)", 2)?),
        ("tables", instances("(table 15000 funcref)", 2)?),
        ("instances", instances("", 61)?),
        ("resources", hollow(own)?),
        ("composed", hollow("(component (core module))")?),
        (
            "costly to compile",
            instances(&format!("(func {})", "(block)".repeat(100_001)), 1)?,
        ),
    ])
}
