//! Swap under fire: webhooks of all regions come in while the policy is exchanged hundreds of
//! times in every way there is, for good ones and for broken ones, and the host is killed in
//! the midst of it. At the end each message has one outcome, each was judged by the revision
//! that it was pinned to, and nothing was delivered that a broken one had in its hands.

mod marks;
mod stream;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{digest::Digest, limits::MAX_COMPONENT};
use cambist_e2e::{Setup, World, plugins, setup::ADMIN_TOKEN};
use cambist_journal::Ledger as _;
use serde_json::{Value, json};

use self::{marks::Marks, stream::Stream};

const PLUGIN: &str = "policy-deal-desk";

/// Rounds of [`Swapper::round`], of eleven swaps each: one for each file that does not pass.
/// `CAMBIST_SWAP_ROUNDS` asks for more.
const ROUNDS: u32 = 22;

/// Webhooks that come in during each swap.
const DEALS: usize = 4;

/// Components that pass, and break when they are called.
const BROKEN_CALLS: [&str; 17] = [
    "trap",
    "loop-in-realloc",
    "memory-bomb",
    "lying-length",
    "list-outside",
    "not-utf8",
    "stack-bomb",
    "table-bomb",
    "loop-in-post-return",
    "trap-in-realloc",
    "trap-in-post-return",
    "trap-everywhere",
    "realloc-grows",
    "realloc-outside",
    "answer-outside",
    "answer-crooked",
    "no-such-case",
];

/// What is told of a file that is refused by its size.
fn too_large(size: usize) -> String {
    format!("does not fit the limits of its binding: {size} bytes, and {MAX_COMPONENT} are the most")
}

struct Swapper {
    world: World,
    marks: Marks,
    stream: Stream,
    /// Files that do not pass, with what is wrong.
    broken: Vec<(&'static str, Vec<u8>)>,
    swaps: u32,
}

impl Swapper {
    /// Takes a step at the running host, and gives its answer.
    async fn step(&self, what: &str, body: impl Into<reqwest::Body>) -> Result<Value> {
        let admin = self.world.host()?.admin;
        let address = format!("http://{admin}/api/{what}");
        let request = self.world.client.post(address).bearer_auth(ADMIN_TOKEN);
        let answer = request.body(body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{what}: {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    async fn plugin(&self, what: &str, body: Value) -> Result<Value> {
        self.step(&format!("plugins/{PLUGIN}/{what}"), body.to_string())
            .await
    }

    async fn push(&self, component: Vec<u8>, live: bool) -> Result<()> {
        let what = format!("plugins/{PLUGIN}/push?by=ci&live={live}");
        self.step(&what, component).await.map(drop)
    }

    fn file(&self) -> PathBuf {
        self.world.plugins().join(format!("{PLUGIN}.wasm"))
    }

    /// Waits until a member of the plugin's status is what it should be.
    async fn until(&self, member: &str, expected: Value) -> Result<()> {
        let what = format!("`{member}` is {expected}");
        self.world
            .until(&what, async || {
                let (_, text) = self.world.page("/api/plugins").await?;
                let told: Value = serde_json::from_str(&text)?;
                let all = told.get("plugins").and_then(Value::as_array).cloned();
                let status = all.unwrap_or_default().into_iter();
                let status = status
                    .into_iter()
                    .find(|it| it.get("plugin") == Some(&json!(PLUGIN)));
                let is = status.and_then(|status| status.get(member).cloned());
                Ok((is.as_ref() == Some(&expected)).then_some(()))
            })
            .await
    }

    /// How many messages are parked.
    async fn parked(&self) -> Result<usize> {
        let all = self.world.messages().await?;
        Ok(all
            .iter()
            .filter(|status| status.state.name() == "parked")
            .count())
    }

    /// One more swap: webhooks come in while it goes on.
    fn swap(&mut self) {
        self.swaps += 1;
        self.stream.more(DEALS);
    }

    /// Every way of swapping, once.
    async fn round(&mut self, number: u32) -> Result<()> {
        let by = json!({"by": "b.keller"});
        // good to better, by the API and by a file
        self.swap();
        let better = self.marks.next()?;
        self.push(better, true).await?;
        self.swap();
        let better = self.marks.next()?;
        let digest = Digest::of(&better);
        plugins::put(&self.world.plugins(), PLUGIN, &better)?;
        self.until("live", json!(digest)).await?;
        // good to what does not pass
        self.swap();
        let (_, file) = self
            .broken
            .get(number as usize % self.broken.len())
            .context("one of them")?;
        plugins::put(&self.world.plugins(), PLUGIN, file)?;
        match file.len() > MAX_COMPONENT {
            // it is not read
            true => self.until("refused", json!(too_large(file.len()))).await?,
            false => self.until("seen", json!(Digest::of(file))).await?,
        }
        self.until("live", json!(digest)).await?;
        // good to what breaks when it is called, and back
        self.swap();
        let name = BROKEN_CALLS.get(number as usize % BROKEN_CALLS.len());
        let breaks = cambist_guests::by_hand(name.context("one of them")?)?;
        let before = self.parked().await?;
        self.push(breaks, true).await?;
        self.swap();
        let parks = "a message meets the one that breaks";
        self.world
            .until(parks, async || Ok((self.parked().await? > before).then_some(())))
            .await?;
        self.plugin("back", by.clone()).await?;
        // settings alone
        self.swap();
        let config = self.world.folder().join("cambist.toml");
        let text = std::fs::read_to_string(&config)?;
        let other = format!("above = \"{}\"\nrole = \"finance\"", 50_001 + number);
        let from = text.find("above = ").context("the config has a threshold")?;
        let to = text.get(from..).and_then(|rest| rest.find("\"finance\""));
        let to = from + to.context("and its role")? + "\"finance\"".len();
        let mut text = text.clone();
        text.replace_range(from..to, &other);
        std::fs::write(&config, text)?;
        self.step("config/reload", "{}").await?;
        // a shadow, on and off
        self.swap();
        let candidate = self.marks.next()?;
        self.push(candidate, false).await?;
        self.plugin("shadow", by.clone()).await?;
        self.swap();
        // a share, up, and live or away
        for percent in [20, 60] {
            self.swap();
            let share = json!({"by": "b.keller", "percent": percent});
            self.plugin("share", share).await?;
        }
        if number.is_multiple_of(2) {
            self.plugin("live", by.clone()).await?;
        } else {
            let why = json!({"by": "b.keller", "reason": "seen enough"});
            self.plugin("withdraw", why).await?;
        }
        // the file is deleted: what is live stays
        self.swap();
        std::fs::remove_file(self.file())?;
        Ok(())
    }

    async fn killed(&mut self) -> Result<()> {
        self.stream.more(DEALS);
        self.world.kill()?;
        self.world.restart(None).await?;
        self.stream.moved(&self.world)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_hundreds_of_times_under_fire_nothing_is_lost_and_nothing_mixed() -> Result<()> {
    let rounds = std::env::var("CAMBIST_SWAP_ROUNDS").ok();
    let rounds: u32 = rounds.map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let mut marks = Marks::default();
    let mut world = World::quiet(Setup::default()).await?;
    plugins::put(&world.plugins(), PLUGIN, &marks.next()?)?;
    world.restart(None).await?;
    let stream = Stream::of(&world, u64::from(rounds) * 60)?;
    let mut swapper = Swapper {
        world,
        marks,
        stream,
        broken: cambist_guests::refused()?,
        swaps: 0,
    };
    for number in 0..rounds {
        swapper.round(number).await?;
        // killed with whatever is under way
        if number % 7 == 3 {
            swapper.killed().await?;
        }
    }
    let Swapper {
        world,
        marks,
        stream,
        broken,
        swaps,
    } = swapper;
    assert!(
        rounds < ROUNDS || (broken.len() <= ROUNDS as usize && BROKEN_CALLS.len() <= ROUNDS as usize),
        "each way of being broken had its turn"
    );
    let acknowledged = stream.end().await?;
    let first = world.settled().await?;
    assert_eq!(first.len() as u64, acknowledged, "each is one message");

    // those that a broken one had: parked, nothing of them delivered; a good one takes them
    let mut parked = 0_u32;
    for story in first.iter().filter(|story| story.state() == "parked") {
        ensure!(
            story.count("delivered") == 0,
            "{}: {}",
            story.id(),
            story.reason()
        );
        let body = ["replay", story.id(), "--live", "--by", "b.keller"];
        world.operate(&body).await?;
        parked += 1;
    }
    let mut judged = 0;
    let acts = world.journal()?.acts().await?;
    let stories = world.settled().await?;
    assert_eq!(stories.len() as u64, acknowledged);
    for story in &stories {
        story.done_once()?;
        assert_eq!(story.count("delivered"), 1, "{:?}", story.events());
        assert_eq!(story.commands()?.len(), story.plan()?.commands.len());
        judged += marks.prove(&world, &acts, story)?;
    }
    assert!(u64::from(judged) >= acknowledged);
    assert!(parked >= rounds, "each that broke met some: {parked}");
    let lives = acts
        .iter()
        .filter(|acted| acted.act.plugin == PLUGIN && acted.act.step.name() == "live");
    // each round makes five live by itself, and the host that starts again writes none of it anew
    let lives = lives.count();
    assert!(
        lives >= 5 * rounds as usize,
        "{lives} times live in {swaps} swaps"
    );
    world.verify().await
}
