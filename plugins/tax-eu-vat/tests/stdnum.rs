//! Compares the checks of VAT ids with python-stdnum, which others wrote from
//! the same public rules.
//!
//! Skipped, and said so, where Python or the package is missing: `pip install
//! python-stdnum`. `CAMBIST_PYTHON` names another interpreter. The package is run
//! and not copied.
#![expect(clippy::expect_used, reason = "tests")]

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use tax_eu_vat::{member_states::MEMBER_STATES, vat_id};

/// Answers each line with 1 or 0.
const ORACLE: &str = "
import sys
from stdnum.eu import vat
for line in sys.stdin:
    print(int(vat.is_valid(line.strip())))
";

/// Numbers for each shape. Enough that each check digit is met many times.
const NUMBERS: usize = 3000;

/// The shapes that member states issue: `9` is any digit, `A` any letter, other
/// characters stand for themselves.
const SHAPES: &[(&str, &[&str])] = &[
    ("AT", &["U99999999"]),
    ("BE", &["0999999999", "1999999999", "9999999999"]),
    ("BG", &["999999999", "9999999999"]),
    ("CY", &["99999999A", "19999999A"]),
    (
        "CZ",
        &["99999999", "699999999", "999999999", "9951019999", "0001319999"],
    ),
    ("DE", &["999999999"]),
    ("DK", &["99999999"]),
    ("EE", &["999999999"]),
    (
        "ES",
        &[
            "99999999A",
            "A99999999",
            "A9999999A",
            "X9999999A",
            "K9999999A",
            "B99999999",
        ],
    ),
    ("FI", &["99999999"]),
    (
        "FR",
        &[
            "99999999999",
            "00000999999",
            "A9999999999",
            "9A999999999",
            "AA999999999",
        ],
    ),
    ("GR", &["999999999", "99999999"]),
    ("HR", &["99999999999"]),
    ("HU", &["99999999"]),
    ("IE", &["9999999A", "9999999AA", "9999999AW", "9A99999A"]),
    ("IT", &["99999999999", "99999990019", "99999991209"]),
    ("LT", &["999999919", "999999999919"]),
    ("LU", &["99999999"]),
    ("LV", &["99999999999", "01019099999", "32999999999"]),
    ("MT", &["99999999"]),
    ("NL", &["999999999B99"]),
    ("PL", &["9999999999"]),
    ("PT", &["999999999"]),
    ("RO", &["9999999999", "99999999", "999", "99"]),
    ("SE", &["999999999901", "999999999999"]),
    ("SI", &["99999999"]),
    ("SK", &["9999999999", "9929999999"]),
];

/// A generator of Lehmer's kind: the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(limit)).expect("below a u32")
    }

    fn of_shape(&mut self, shape: &str) -> String {
        let fill = |c| match c {
            '9' => char::from_digit(self.below(10), 10).expect("a digit"),
            'A' => char::from_digit(10 + self.below(26), 36)
                .expect("a letter")
                .to_ascii_uppercase(),
            other => other,
        };
        shape.chars().map(fill).collect()
    }
}

#[test]
fn python_stdnum_agrees_on_which_ids_are_well_formed() {
    let mut ids = Vec::new();
    let mut numbers = Numbers(2_006_112);
    for (country, shapes) in SHAPES {
        let state = MEMBER_STATES
            .iter()
            .find(|state| state.code == *country)
            .expect("a member state");
        for shape in *shapes {
            for _ in 0..NUMBERS {
                ids.push((state, format!("{}{}", state.vat_prefix, numbers.of_shape(shape))));
            }
        }
    }
    let Some(verdicts) = ask(&ids
        .iter()
        .map(|(_, id)| id.as_str())
        .collect::<Vec<_>>()
        .join("\n"))
    else {
        // not by `eprintln!`, which the test runner would swallow
        let line = "SKIPPED: no python3 with python-stdnum; VAT ids were not compared with it\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    };
    assert_eq!(verdicts.len(), ids.len());

    let mut agreed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differ: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((state, id), theirs) in ids.iter().zip(verdicts) {
        let ours = vat_id::check(id, state).is_ok();
        if ours == theirs {
            *agreed.entry(state.code).or_default() += usize::from(ours);
        } else if !known(state.code, &id[2..], theirs) {
            let verdict = if ours {
                "only we take it"
            } else {
                "only they take it"
            };
            differ
                .entry(state.code)
                .or_default()
                .push(format!("{id}: {verdict}"));
        }
    }
    for examples in differ.values_mut() {
        examples.truncate(8);
    }
    assert!(differ.is_empty(), "{differ:#?}");
    for (country, _) in SHAPES {
        assert!(
            agreed.get(country) > Some(&20),
            "too few valid ids of {country} were met"
        );
    }
}

/// Where the two read the rules differently, and why ours stands.
fn known(country: &str, number: &str, theirs: bool) -> bool {
    match country {
        // 97 less a remainder is 1 to 97; the oracle also takes 00, 98 and 99
        "BE" => theirs && ["00", "98", "99"].iter().any(|check| number.ends_with(check)),
        // the oracle takes months beyond those that are issued, 01 to 12 plus 0, 20, 50 or 70
        "CZ" | "SK" if theirs => number[2..4].parse::<u32>().is_ok_and(|month| month % 50 > 32),
        // persons' numbers hold a day of birth, and we let every month have 31
        "BG" | "CZ" | "SK" => !theirs && ["29", "30", "31"].contains(&&number[4..6]),
        "LV" => !theirs && ["29", "30", "31"].contains(&&number[..2]),
        // one person may run several businesses, numbered 01 to 94
        "SE" => !theirs && !number.ends_with("01"),
        _ => false,
    }
}

/// The oracle's verdicts; none where it cannot be run.
fn ask(ids: &str) -> Option<Vec<bool>> {
    let python = std::env::var("CAMBIST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = Command::new(&python)
        .args(["-c", "import stdnum"])
        .stderr(Stdio::null())
        .status();
    if !probe.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut oracle = Command::new(&python)
        .args(["-c", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut stdin = oracle.stdin.take().expect("a pipe");
    let text = ids.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = oracle.wait_with_output().expect("python ends");
    writer.join().expect("the writer ends").expect("python reads");
    assert!(output.status.success());
    Some(
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| line == "1")
            .collect(),
    )
}
