//! A policy that allows everything and gives its mark as the reason. A test writes another
//! mark of the same length into the component, and has another revision that says which one
//! it is.

use std::hint::black_box;

use cambist_sdk::prelude::*;

/// The mark, as it stands in the component's data.
const MARK: &str = "mark-000000";

struct Marked;

impl Policy for Marked {
    fn judge(_: &Context, _: Proposal) -> Result<Verdict> {
        Ok(Verdict {
            decision: Decision::Allow,
            // what the compiler knows, it would write into the code
            reasons: vec![Reason {
                code: "mark".into(),
                text: black_box(MARK).into(),
                basis: None,
            }],
        })
    }
}

cambist_sdk::export!(Marked: policy);
