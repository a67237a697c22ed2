//! Compares the check of GSTINs with python-stdnum, which others wrote from the
//! same public rules.
//!
//! Skipped, and said so, where Python or the package is missing: `pip install
//! python-stdnum`. `CAMBIST_PYTHON` names another interpreter. The package is run
//! and not copied.
#![expect(clippy::expect_used, reason = "tests")]

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use tax_in_gst::gstin;

/// Answers each argument with 1 or 0.
const ORACLE: &str = "
import sys
from stdnum.in_ import gstin
for number in sys.argv[1:]:
    print(int(gstin.is_valid(number)))
";

/// A GSTIN with a check character, for each state and entity number.
fn gstins() -> Vec<String> {
    let mut all = Vec::new();
    for state in 1..=37 {
        for entity in ['1', '2', '9', 'A', 'Z'] {
            for pan in ["AAPFU0939F", "AABCS1429B", "BZXPK4512Q", "AAPXU0939F"] {
                let body = format!("{state:02}{pan}{entity}Z");
                let check = gstin::check_character(&body).expect("letters and digits");
                all.push(format!("{body}{check}"));
                all.push(format!("{body}{}", if check == '7' { '8' } else { '7' }));
            }
        }
    }
    all
}

#[test]
fn python_stdnum_agrees_on_which_gstins_are_well_formed() {
    let python = std::env::var("CAMBIST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python)
        .args(["-c", "import stdnum"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        // not by `eprintln!`, which the test runner would swallow
        let line = "SKIPPED: no python3 with python-stdnum; GSTINs were not compared with it\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    }
    let gstins = gstins();
    let output = Command::new(&python)
        .args(["-c", ORACLE])
        .args(&gstins)
        .output()
        .expect("python runs");
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    let verdicts: Vec<bool> = text.lines().map(|line| line == "1").collect();
    assert_eq!(verdicts.len(), gstins.len());
    assert!(verdicts.iter().filter(|verdict| **verdict).count() > 100);
    for (gstin, theirs) in gstins.iter().zip(verdicts) {
        assert_eq!(gstin::state_of(gstin).is_some(), theirs, "{gstin}");
    }
}
