//! `cambist plugin`: builds plugins, looks at them, fetches them from registries and puts
//! them there, and takes the steps of their lives at the running host.

mod beside;
mod diff;
mod file;
mod inspect;
mod key;
mod oci;
mod sign;
mod status;
mod step;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, ensure};
use cambist_sdk_build::{
    cases,
    component::{self, About},
};
use clap::Subcommand;

/// What to do with plugins.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Builds plugin crates to components, and runs their cases in the sandbox.
    Build {
        /// The folders of the crates.
        #[arg(default_value = ".")]
        crates: Vec<PathBuf>,
        /// Where the components go.
        #[arg(long, default_value = "plugins")]
        to: PathBuf,
    },
    /// Makes a plugin of a component that another language's tool has built, and runs
    /// its cases in the sandbox.
    Pack {
        /// The component.
        file: PathBuf,
        /// The plugin's name, which is its file's.
        #[arg(long)]
        name: String,
        /// The plugin's version.
        #[arg(long)]
        version: String,
        /// What the plugin does, in one sentence.
        #[arg(long)]
        description: Option<String>,
        /// The language it is written in, such as TypeScript, for `inspect` to tell: not all
        /// tools say so.
        #[arg(long)]
        language: Option<String>,
        /// The folder of its cases.
        #[arg(long)]
        cases: Option<PathBuf>,
        /// Where the plugin goes.
        #[arg(long, default_value = "plugins")]
        to: PathBuf,
    },
    /// Tells what a component is made of, who signed it, and what its cases cost.
    Inspect(inspect::Inspect),
    /// Makes a key pair to sign plugins with.
    Key(key::Key),
    /// Signs a component: the signature travels in its file.
    Sign(sign::Sign),
    /// Fetches a plugin from a registry of OCI artifacts, and writes its file if it is one.
    Pull(oci::Pull),
    /// Puts a plugin into a registry of OCI artifacts, for others to pull. (`push` is for the
    /// running host.)
    Publish(oci::Publish),
    /// Tells what is live, what waits, and what does not pass and why, at the running host.
    Status(status::Options),
    /// Sends a component to the running host, which checks it.
    Push(step::Push),
    /// Makes a component live that passed: the latest that waits, or an older one.
    Live(step::Live),
    /// Makes the component live that was before the one that is; or all that was live before the last
    /// change of any part, settings and tables too.
    Back(step::Back),
    /// Calls a component beside the live one with the same messages, and compares: the latest
    /// that waits, or an older one. Its answers go nowhere.
    Shadow(beside::Shadow),
    /// Tells how the shadow compares with what is live.
    Diff(diff::Options),
    /// Lets a component serve a share of the keys. It goes back by itself when it does too badly.
    Share(beside::Share),
    /// Takes away what stands beside the live component.
    Withdraw(beside::Withdraw),
    /// Takes a component out at once: its messages park, and nothing takes its place.
    Kill(step::Kill),
}

/// Does it.
///
/// # Errors
///
/// A plugin does not build, load, or do what its cases say; or the host or a registry refuses.
pub async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Pull(options) => oci::pull(&options).await?,
        Command::Publish(options) => oci::publish(&options).await?,
        Command::Status(options) => status::run(&options).await?,
        Command::Push(options) => step::push(&options).await?,
        Command::Live(options) => step::live(&options).await?,
        Command::Back(options) => step::back(&options).await?,
        Command::Shadow(options) => beside::shadow(&options).await?,
        Command::Diff(options) => diff::run(&options).await?,
        Command::Share(options) => beside::share(&options).await?,
        Command::Withdraw(options) => beside::withdraw(&options).await?,
        Command::Kill(options) => step::kill(&options).await?,
        Command::Build { crates, to } => {
            for built in build(&crates, &to)? {
                say!("{}", built.display());
            }
        }
        Command::Pack {
            file,
            name,
            version,
            description,
            language,
            cases,
            to,
        } => {
            let about = About {
                name: &name,
                version: &version,
                authors: &[],
                description: description.as_deref(),
                language: language.as_deref(),
            };
            let packed = component::pack(&file::read(&file)?, &about, &collect(cases.as_deref())?)?;
            say!("{}", place(&name, &packed, &to)?.display());
        }
        Command::Inspect(options) => inspect::run(&options)?,
        Command::Key(options) => key::run(&options)?,
        Command::Sign(options) => sign::run(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds crates to components in a folder.
///
/// # Errors
///
/// The first plugin that does not build, load, or do what its cases say.
pub fn build(crates: &[PathBuf], to: &Path) -> Result<Vec<PathBuf>> {
    let built = cambist_sdk_build::build(crates, false)?;
    built
        .iter()
        .map(|built| place(&built.name, &built.component, to))
        .collect()
}

/// Puts a component into a folder. It takes its place there only when it loads and its
/// cases pass, and only if it differs.
fn place(name: &str, component: &[u8], to: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let path = to.join(format!("{name}.wasm"));
    if std::fs::read(&path).is_ok_and(|there| there == component) {
        return Ok(path);
    }
    inspect::look(component, None).with_context(|| format!("plugin {name}"))?;
    file::put(&path, component, None)?;
    Ok(path)
}

/// The cases in a folder. One that was named has to be there: a plugin that passes no
/// case would look like one that passes all.
fn collect(folder: Option<&Path>) -> Result<serde_json::Value> {
    let Some(folder) = folder else {
        return Ok(serde_json::json!([]));
    };
    ensure!(
        folder.is_dir(),
        "there is no folder {} with cases",
        folder.display()
    );
    Ok(cases::collect(folder)?)
}
