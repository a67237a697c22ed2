//! What a scenario has in its hands: a folder, a HubSpot, a host and its journal.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context as _, Result, bail, ensure};
use cambist_contract::message::MessageId;
use cambist_doubles::hubspot::HubSpotDouble;
use cambist_journal::{Journal as _, Status, journal::Filter, store::SqliteJournal};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    deals::Deal,
    host::{self, Halt, Host, LOOKS, PAUSE},
    plugins, sender,
    setup::{ADMIN_TOKEN, Setup},
    story::Story,
};

/// A host with all that is around it. Ends with the test.
#[derive(Debug)]
pub struct World {
    /// HubSpot's double.
    pub hubspot: HubSpotDouble,
    /// A client for the host's doors.
    pub client: Client,
    /// What the next host is started with.
    pub setup: Setup,
    /// How often something is looked at before a wait is given up.
    pub patience: u32,
    host: Option<Host>,
    runs: u32,
    folder: TempDir,
}

impl World {
    /// Everything but a running host: the folder with config, token and plugins,
    /// and the double.
    ///
    /// # Errors
    ///
    /// A plugin does not build, or the machine is out of something.
    pub async fn quiet(setup: Setup) -> Result<Self> {
        Self::of(tempfile::tempdir()?, setup).await
    }

    /// The same in a folder below this one.
    ///
    /// # Errors
    ///
    /// As of [`quiet`](Self::quiet).
    pub async fn quiet_in(folder: &Path, setup: Setup) -> Result<Self> {
        Self::of(tempfile::tempdir_in(folder)?, setup).await
    }

    async fn of(folder: TempDir, setup: Setup) -> Result<Self> {
        let hubspot = HubSpotDouble::start(json!({})).await?;
        let path = folder.path();
        fs::write(path.join("admin-token"), ADMIN_TOKEN)?;
        plugins::install(&path.join("plugins"))?;
        if setup.bills {
            plugins::install_invoicing(&path.join("plugins"))?;
        }
        plugins::warm(&path.join("data"))?;
        Ok(Self {
            hubspot,
            client: sender::client()?,
            setup,
            patience: LOOKS,
            host: None,
            runs: 0,
            folder,
        })
    }

    /// A host that runs.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn start(setup: Setup) -> Result<Self> {
        let mut world = Self::quiet(setup).await?;
        world.restart(None).await?;
        Ok(world)
    }

    /// Kills the host if it runs, and starts it again; with `halt` it stops for
    /// good at that stage.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn restart(&mut self, halt: Option<Halt<'_>>) -> Result<()> {
        self.kill()?;
        self.runs += 1;
        let any = "127.0.0.1:0";
        let hubspot = self
            .setup
            .hubspot_address
            .clone()
            .unwrap_or_else(|| self.hubspot.url());
        let config = self.setup.config(&hubspot, any, any);
        fs::write(self.folder.path().join("cambist.toml"), config)?;
        let host = Host::start(self.folder.path(), &self.setup, self.runs, halt).await?;
        plugins::keep(&self.data());
        // for the operators' commands, which take the address from the config
        let config = self
            .setup
            .config(&hubspot, &host.ingress.to_string(), &host.admin.to_string());
        fs::write(self.folder.path().join("operator.toml"), config)?;
        self.host = Some(host);
        Ok(())
    }

    /// Whether a host runs, and has not ended by itself or by somebody's hand.
    pub fn is_alive(&mut self) -> bool {
        self.host.as_mut().is_some_and(Host::is_alive)
    }

    /// Kills the host as a power cut would, if it runs.
    ///
    /// # Errors
    ///
    /// It cannot be waited for.
    pub fn kill(&mut self) -> Result<()> {
        self.host.take().map_or(Ok(()), Host::kill)
    }

    /// Tells the host to stop, and waits until it has.
    ///
    /// # Errors
    ///
    /// It does not end, or not well.
    pub async fn stop(&mut self) -> Result<()> {
        self.host.take().context("no host runs")?.stop().await
    }

    /// Waits until the host has halted where it was told to.
    ///
    /// # Errors
    ///
    /// It never gets there.
    pub async fn halted(&self) -> Result<()> {
        self.host()?.halted(self.folder.path()).await
    }

    /// Starts the host again, sends it a deal, and kills it when it has recorded a stage.
    ///
    /// # Errors
    ///
    /// It never gets there.
    pub async fn killed_at(&mut self, stage: &str, deal: &Deal) -> Result<()> {
        self.restart(Some(Halt(stage))).await?;
        self.won(std::slice::from_ref(deal)).await?;
        self.halted().await?;
        self.kill()
    }

    /// The running host.
    ///
    /// # Errors
    ///
    /// None runs.
    pub fn host(&self) -> Result<&Host> {
        self.host.as_ref().context("no host runs")
    }

    /// The folder with the config.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The plugin folder.
    pub fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// The host's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// All that the hosts of this world have logged.
    ///
    /// # Errors
    ///
    /// A log cannot be read.
    pub fn logs(&self) -> Result<String> {
        let mut all = String::new();
        for run in 1..=self.runs {
            all += &fs::read_to_string(self.folder.path().join(format!("log-{run}.jsonl")))?;
        }
        Ok(all)
    }

    /// Puts deals into HubSpot, or corrected ones in their place.
    pub fn know(&self, deals: &[Deal]) {
        for (kind, id, object) in deals.iter().flat_map(Deal::objects) {
            self.hubspot.put(kind, &id, object);
        }
    }

    /// Posts events as one signed batch, and gives the answer's status.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn post(&self, events: &[Value]) -> Result<u16> {
        sender::post(&self.client, self.host()?.ingress, &sender::signed(events)).await
    }

    /// Puts deals into HubSpot and tells the host that they are won.
    ///
    /// # Errors
    ///
    /// The host does not accept it.
    pub async fn won(&self, deals: &[Deal]) -> Result<()> {
        self.know(deals);
        let events: Vec<Value> = deals.iter().map(|deal| sender::won(deal.id, 1)).collect();
        for batch in events.chunks(100) {
            let status = self.post(batch).await?;
            ensure!((200..300).contains(&status), "the host answered {status}");
        }
        Ok(())
    }

    /// Runs a command for operators beside the host, such as `["show", ID]`.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub async fn cambist(&self, arguments: &[&str]) -> Result<Output> {
        let mut all = arguments.to_vec();
        all.extend(["--config", "operator.toml"]);
        // the double must be able to answer meanwhile
        tokio::task::block_in_place(|| host::operate(self.folder.path(), &self.setup, &all))
    }

    /// Runs a command that must not be refused.
    ///
    /// # Errors
    ///
    /// It exits with anything but 0.
    pub async fn operate(&self, arguments: &[&str]) -> Result<()> {
        let output = self.cambist(arguments).await?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{arguments:?} ended with {}: {told}",
            output.status
        );
        Ok(())
    }

    /// Gets a page of the operators' side, and gives status and body.
    ///
    /// # Errors
    ///
    /// There is no answer.
    pub async fn page(&self, path: &str) -> Result<(u16, String)> {
        let address = format!("http://{}{path}", self.host()?.admin);
        let answer = self.client.get(address).bearer_auth(ADMIN_TOKEN).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// The journal, for reading, beside the host.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn journal(&self) -> Result<SqliteJournal> {
        Ok(SqliteJournal::open_read_only(self.data().join("journal.db"))?)
    }

    /// All messages at a glance, the oldest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub async fn messages(&self) -> Result<Vec<Status>> {
        let filter = Filter {
            limit: 10_000,
            ..Filter::default()
        };
        let mut all = self.journal()?.list(filter).await?;
        all.reverse();
        Ok(all)
    }

    /// The stories of a deal's messages, the oldest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub async fn stories(&self, deal: &Deal) -> Result<Vec<Story>> {
        let object = deal.object();
        let mut stories = Vec::new();
        for status in self
            .messages()
            .await?
            .iter()
            .filter(|status| status.object == object)
        {
            stories.push(self.story(&status.id).await?);
        }
        Ok(stories)
    }

    /// One message's story.
    ///
    /// # Errors
    ///
    /// It is not in the journal.
    pub async fn story(&self, id: &MessageId) -> Result<Story> {
        let claim = self.journal()?.message(id).await?;
        Ok(Story(claim.context("the message is not in the journal")?))
    }

    /// Waits until the only message of a deal is in a state, and gives its story.
    ///
    /// # Errors
    ///
    /// It never gets there, or there is not exactly one message.
    pub async fn wait(&self, deal: &Deal, state: &str) -> Result<Story> {
        self.until(&format!("{} {state}", deal.object()), async || {
            let stories = self.stories(deal).await?;
            ensure!(stories.len() <= 1, "{} has several messages", deal.object());
            Ok(stories.into_iter().find(|story| story.state() == state))
        })
        .await
    }

    /// Waits until no message is due any more, and gives all stories, the oldest
    /// first.
    ///
    /// # Errors
    ///
    /// It never comes to that.
    pub async fn settled(&self) -> Result<Vec<Story>> {
        let messages = self
            .until("all messages settled", async || {
                let messages = self.messages().await?;
                let due = messages.iter().any(|status| status.state.name() == "due");
                Ok((!due).then_some(messages))
            })
            .await?;
        let mut stories = Vec::new();
        for status in messages {
            stories.push(self.story(&status.id).await?);
        }
        Ok(stories)
    }

    /// Waits until no message is due any more.
    ///
    /// # Errors
    ///
    /// It never comes to that.
    pub async fn until_idle(&self) -> Result<()> {
        self.until("nothing due", async || {
            let counts = self.journal()?.counts().await?;
            Ok((counts.by_state.get("due").copied().unwrap_or_default() == 0).then_some(()))
        })
        .await
    }

    /// Looks until something is there. The error of a wait that is given up tells
    /// where all messages stand.
    ///
    /// # Errors
    ///
    /// It is not there after many looks, or cannot be looked at.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
        for _ in 0..self.patience {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(PAUSE).await;
        }
        let mut stand = String::new();
        for status in self.messages().await? {
            stand += &format!(
                "\n{} {:?}, attempts {}",
                status.object, status.state, status.attempts
            );
        }
        bail!("waited in vain for: {what}; there is:{stand}")
    }

    /// That both sides have the same in the month in which [`Deal`]s are closed, by `cambist reconcile`. The setup needs
    /// [`RECONCILE`](crate::setup::RECONCILE).
    ///
    /// # Errors
    ///
    /// Something differs or is under way: what it printed.
    pub async fn reconciled(&self) -> Result<()> {
        let output = self.cambist(&["reconcile", "--period", "2026-11"]).await?;
        let told = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&told));
        Ok(())
    }

    /// That the journal's chain holds. Every scenario ends with it.
    ///
    /// # Errors
    ///
    /// The first entry that does not fit.
    pub async fn verify(&self) -> Result<()> {
        self.journal()?.verify().await?;
        Ok(())
    }
}
