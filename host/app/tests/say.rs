//! What a command answers where nobody reads it, and where it cannot be written.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

fn schema() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cambist"));
    command.arg("schema").stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn a_reader_that_has_gone_is_no_fault() -> Result<()> {
    let mut child = schema().stdout(Stdio::piped()).spawn()?;
    // gone before a byte is read, as `head` is after some
    drop(child.stdout.take().context("no output")?);
    let output = child.wait_with_output()?;
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success(), "{}", output.status);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_fails() -> Result<()> {
    let full = std::fs::File::options().write(true).open("/dev/full")?;
    let output = schema().stdout(full).output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.starts_with("cambist: cannot write the answer: "), "{told}");
    assert_eq!(output.status.code(), Some(1));
    Ok(())
}
