//! `cambist check` on a table of broken configs: a folder under `check/` is a
//! case, with the config and the problems that must be told, and no others.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use cambist_e2e::{Setup, World, host, plugins};
use serde::Deserialize;

/// A problem that must be told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The line of the config; none for what is about another file.
    line: Option<usize>,
    /// Words of the text: what is wrong, and the way out.
    says: Vec<String>,
}

/// A problem as `--json` tells it.
#[derive(Debug, Deserialize)]
struct Told {
    file: String,
    line: Option<usize>,
    problem: String,
}

fn case(folder: &Path) -> Result<()> {
    let wanted: Vec<Wanted> = serde_json::from_str(&fs::read_to_string(folder.join("problems.json"))?)?;
    let scratch = tempfile::tempdir()?;
    fs::copy(folder.join("cambist.toml"), scratch.path().join("cambist.toml"))?;
    plugins::install(&scratch.path().join("plugins"))?;
    let unruly = cambist_guests::component("unruly")?;
    plugins::put(&scratch.path().join("plugins"), "unruly", &unruly)?;
    plugins::put(&scratch.path().join("plugins"), "garbage", b"no component")?;
    let before = listing(scratch.path())?;

    let setup = Setup::default();
    let json = host::run(scratch.path(), &setup, &["check", "--json"])?;
    let code = i32::from(!wanted.is_empty());
    ensure!(json.status.code() == Some(code), "exits with {}", json.status);
    let told: Vec<Told> = serde_json::from_slice(&json.stdout)?;
    ensure!(told.len() == wanted.len(), "it tells {told:#?}");
    ensure!(
        told.iter().all(|it| it.problem.lines().count() == 1),
        "a problem is a line: {told:#?}"
    );
    for wanted in &wanted {
        let found = told.iter().any(|told| {
            told.line == wanted.line
                && wanted
                    .says
                    .iter()
                    .all(|words| told.problem.contains(words.as_str()))
        });
        ensure!(found, "{wanted:?} is not among {told:#?}");
    }

    ensure!(
        listing(scratch.path())? == before,
        "a check leaves nothing behind"
    );
    if told.len() < 2 {
        return Ok(());
    }
    // for people: the same, one line each; where there are several, because each run compiles the plugins
    let text = host::run(scratch.path(), &setup, &["check"])?;
    ensure!(
        text.status.code() == Some(code),
        "as text it exits with {}",
        text.status
    );
    let text = String::from_utf8(text.stdout)?;
    for told in &told {
        let line = told.line.map_or(String::new(), |line| format!(":{line}"));
        let place = format!("{}{line}: {}", told.file, told.problem);
        ensure!(text.contains(&place), "the text lacks {place:?}:\n{text}");
    }
    Ok(())
}

fn listing(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[test]
fn every_problem_of_a_config_is_told_with_its_line_and_the_way_out() -> Result<()> {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("check"))? {
        let folder = entry?.path();
        let name = folder
            .file_name()
            .context("no name")?
            .to_string_lossy()
            .into_owned();
        if let Err(error) = case(&folder) {
            wrong.push(format!("{name}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_config_of_these_tests_has_no_problem() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let setup = Setup::default();
    let config = setup.config("http://127.0.0.1:9", "127.0.0.1:0", "127.0.0.1:0");
    fs::write(scratch.path().join("cambist.toml"), config)?;
    fs::write(
        scratch.path().join("admin-token"),
        cambist_e2e::setup::ADMIN_TOKEN,
    )?;
    plugins::install(&scratch.path().join("plugins"))?;
    let output = host::run(scratch.path(), &setup, &["check", "--json"])?;
    let told = String::from_utf8(output.stdout)?;
    assert_eq!(told.trim(), "[]");
    assert!(output.status.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn systems_are_asked_only_when_that_is_wanted_and_the_one_that_is_not_there_is_named() -> Result<()> {
    let world = World::start(Setup::default()).await?;
    // the double answers meanwhile
    let check = |arguments: &[&str]| {
        let output = tokio::task::block_in_place(|| host::run(world.folder(), &world.setup, arguments))?;
        let told: Vec<Told> = serde_json::from_slice(&output.stdout)?;
        anyhow::Ok((output.status.code(), told))
    };
    let (code, told) = check(&["check", "--json"])?;
    ensure!(code == Some(0) && told.is_empty(), "{told:#?}");
    assert_eq!(world.hubspot.seen(), [""; 0], "nobody was asked");
    let (code, told) = check(&["check", "--systems", "--json"])?;
    ensure!(code == Some(0) && told.is_empty(), "{told:#?}");
    assert_eq!(world.hubspot.seen().len(), 1);

    // nobody listens there any more
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let file = world.folder().join("cambist.toml");
    let config = fs::read_to_string(&file)?.replace(&world.hubspot.url(), &format!("http://{free}"));
    fs::write(&file, &config)?;
    let (code, told) = check(&["check", "--systems", "--json"])?;
    let [problem] = told.as_slice() else {
        anyhow::bail!("one system is away: {told:#?}");
    };
    assert_eq!(code, Some(1));
    let line = config
        .lines()
        .nth(problem.line.unwrap_or_default().saturating_sub(1));
    assert_eq!(line, Some("[connect.systems.hubspot]"));
    assert!(
        problem.problem.contains("cannot reach hubspot at"),
        "{}",
        problem.problem
    );
    Ok(())
}
