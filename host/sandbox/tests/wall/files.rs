//! Files that are no plugins: empty, cut off, changed, huge, of another generation.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use cambist_contract::{limits::Limits, plugin::LoadError};

use crate::host::{Host, judge};

#[test]
fn a_file_of_200_mb_is_refused_by_its_size() {
    let mut file = cambist_guests::by_hand("good").unwrap();
    file.resize(200_000_000, 0);
    let text = Host::new().refusal(&file, &[]).to_string();
    let told = "does not fit the limits of its binding: 200000000 bytes, and 33554432 are the most";
    assert_eq!(text, told);
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let host = Host::new();
    let good = cambist_guests::by_hand("good").unwrap();
    for end in (0..good.len()).step_by(7) {
        match host.load(&good[..end], Limits::default(), &[]) {
            // cut off between two sections it is a component, of less
            Err(LoadError::NotAComponent(_) | LoadError::NoInterface { .. }) => {}
            Err(other) => unreachable!("{end} bytes: {other:?}"),
            // or of all but what it says of itself
            Ok(plugin) => assert!(judge(&*plugin).answer.is_ok(), "{end} bytes"),
        }
    }
}

#[test]
fn other_generations_are_refused_by_name() {
    let host = Host::new();
    for version in ["0.0.9", "0.2.0", "1.0.0", "0.1"] {
        let export = format!("cambist:plugin/policy@{version}");
        let text = format!(r#"(component (instance $policy) (export "{export}" (instance $policy)))"#);
        let Ok(bytes) = wat::parse_str(text) else { continue };
        let error = host.refusal(&bytes, &[]);
        let text = error.to_string();
        assert!(
            matches!(error, LoadError::NoInterface { .. } | LoadError::NotAComponent(_)),
            "{text}"
        );
        assert!(
            matches!(error, LoadError::NotAComponent(_)) || text.contains(&export),
            "{text}"
        );
    }
}
