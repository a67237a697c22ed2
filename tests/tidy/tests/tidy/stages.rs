//! A step of the way of a message is a file of its name.

use std::collections::BTreeSet;

use anyhow::Result;
use cambist_contract::stage::Stage;
use cambist_tidy::files::sources;

#[test]
fn each_stage_is_a_file_of_its_name() -> Result<()> {
    let stages: BTreeSet<String> = Stage::ALL.iter().map(|stage| stage.name().to_owned()).collect();
    let files: BTreeSet<String> = sources()?
        .iter()
        .filter_map(|file| {
            file.path
                .strip_prefix("host/pipeline/src/stage/")?
                .strip_suffix(".rs")
        })
        // a stage's own parts stand in a folder of its name
        .filter(|name| !name.contains('/'))
        .map(str::to_owned)
        .collect();
    assert_eq!(files, stages);
    Ok(())
}
