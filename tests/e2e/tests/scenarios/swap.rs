//! Swap under fire: webhooks of all regions come in while a policy, a tax and a mapping are
//! exchanged hundreds of times in every way there is, for good ones and for broken ones, by files
//! that come whole and in pieces, by the kill switch and by a config; and the host is killed in
//! the midst of it, with messages and a new component under way. At the end each message has one
//! outcome, each stage was made by the revision that the message was pinned to, nothing was
//! delivered that a broken one had in its hands, and the target was told of each order once.

mod marks;
mod stream;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use cambist_contract::{digest::Digest, limits::MAX_COMPONENT, rollout::Step, stage::Stage};
use cambist_e2e::{Setup, World, plugins, setup::ADMIN_TOKEN};
use cambist_journal::{Journal as _, Ledger as _, State};
use serde_json::{Value, json};

use self::{
    marks::{Marks, Swapped},
    stream::Stream,
};

/// Rounds of [`Swapper::round`], of some fifteen swaps each: one for each component that breaks
/// when it is called. `CAMBIST_SWAP_ROUNDS` asks for more.
const ROUNDS: u32 = 17;

/// Webhooks that come in during each swap.
const DEALS: usize = 4;

/// How often is looked whether a message is under way. Each look sends one.
const LOOKS: u32 = 1_000;

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

/// What the guest `unruly` does: a compiled plugin's ways of breaking.
const UNRULY: [&str; 14] = [
    "log-lines",
    "log-bytes",
    "host-calls",
    "links-flood",
    "huge-answer",
    "many-reasons",
    "deep-json",
    "clear-unknown",
    "panic",
    "long-panic",
    "log-and-panic",
    "recurse",
    "allocate",
    "loop",
];

/// What the policy's binding needs for these: what it may import, less room for an answer, and
/// instances that are kept, so that one that remembers is found out.
const TERMS: &str = r#"
grants = ["log", "reference:rates", "links:dry"]
isolation = { calls = 20 }
[bindings.limits]
transfer = 1048576
"#;

/// What is told of a file that is refused by its size.
fn too_large(size: usize) -> String {
    format!("does not fit the limits of its binding: {size} bytes, and {MAX_COMPONENT} are the most")
}

/// A config whose policy has these terms.
fn setup() -> Result<Setup> {
    let [hubspot, ingress, admin] = ["HUBSPOT_ADDRESS", "INGRESS_ADDRESS", "ADMIN_ADDRESS"];
    let text = Setup::default().config(hubspot, ingress, admin);
    let binding = "plugin = \"policy-deal-desk\"\n";
    ensure!(text.contains(binding), "the policy is bound");
    let text = text.replacen(binding, &format!("{binding}{}", TERMS.trim_start()), 1);
    Ok(Setup {
        whole: Some(text + "\n[tables.rates]\n"),
        ..Setup::default()
    })
}

/// `unruly` with a case that counts its calls in memory: the answer is another one where an
/// instance has served before.
fn remembers() -> Result<Vec<u8>> {
    let case = json!([{
        "name": "a-call-is-counted-by-itself", "call": "judge",
        "context": {
            "message": "case", "flow": "f", "region": "de", "time": "2026-11-20T08:00:00Z", "settings": {"do": "count"},
        },
        "input": {"changes": []},
        "expect": {"ok": {"decision": "allow", "reasons": [{"code": "count", "text": "1"}]}},
    }]);
    plugins::with_cases(&plugins::unruly("nothing")?, &case)
}

struct Swapper {
    world: World,
    marks: Marks,
    stream: Stream,
    /// Files that do not pass, with what is wrong.
    broken: Vec<(&'static str, Vec<u8>)>,
    /// Those that went live and break when they are called.
    breaking: u32,
    /// What stood in the folder for a while, of a file that was to become more.
    pieces: Vec<Digest>,
    swaps: u32,
    /// How often the host was killed.
    kills: u32,
}

impl Swapper {
    /// A step at the running host, that is asked for when it is sent.
    fn ask(&self, what: &str, body: impl Into<reqwest::Body>) -> Result<reqwest::RequestBuilder> {
        let admin = self.world.host()?.admin;
        let address = format!("http://{admin}/api/{what}");
        Ok(self
            .world
            .client
            .post(address)
            .bearer_auth(ADMIN_TOKEN)
            .body(body))
    }

    /// Takes a step, and gives the host's answer.
    async fn step(&self, what: &str, body: impl Into<reqwest::Body>) -> Result<Value> {
        let answer = self.ask(what, body)?.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{what}: {status}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    async fn plugin(&self, plugin: Swapped, what: &str, body: Value) -> Result<Value> {
        let what = format!("plugins/{}/{what}", plugin.name());
        self.step(&what, body.to_string()).await
    }

    async fn back(&self, plugin: Swapped) -> Result<()> {
        let by = json!({"by": "b.keller"});
        self.plugin(plugin, "back", by).await.map(drop)
    }

    async fn kill_switch(&self, plugin: Swapped) -> Result<()> {
        let why = json!({"by": "b.keller", "reason": "it does harm"});
        self.plugin(plugin, "kill", why).await.map(drop)
    }

    fn pushed(plugin: Swapped, live: bool) -> String {
        format!("plugins/{}/push?by=ci&live={live}", plugin.name())
    }

    async fn push(&self, plugin: Swapped, component: Vec<u8>, live: bool) -> Result<()> {
        self.step(&Self::pushed(plugin, live), component).await.map(drop)
    }

    fn file(&self, plugin: Swapped) -> PathBuf {
        self.world.plugins().join(format!("{}.wasm", plugin.name()))
    }

    /// Waits until a member of a plugin's status is what it should be.
    async fn until(&self, plugin: Swapped, member: &str, expected: Value) -> Result<()> {
        let what = format!("`{member}` of {plugin:?} is {expected}");
        self.world
            .until(&what, async || {
                let (_, text) = self.world.page("/api/plugins").await?;
                let told: Value = serde_json::from_str(&text)?;
                let all = told.get("plugins").and_then(Value::as_array).cloned();
                let status = all.unwrap_or_default().into_iter();
                let status = status
                    .into_iter()
                    .find(|it| it.get("plugin") == Some(&json!(plugin.name())));
                let is = status.and_then(|status| status.get(member).cloned());
                Ok((is.as_ref() == Some(&expected)).then_some(()))
            })
            .await
    }

    /// How many messages are in a state.
    async fn count(&self, state: &str) -> Result<u64> {
        let counts = self.world.journal()?.counts().await?;
        Ok(counts.by_state.get(state).copied().unwrap_or_default())
    }

    /// One more swap: webhooks come in while it goes on.
    fn swap(&mut self) {
        self.swaps += 1;
        self.stream.more(DEALS);
    }

    /// Good to what breaks when it is called, and back; by way of the kill switch, messages find
    /// nothing at all for a while.
    async fn breaks(&mut self, plugin: Swapped, component: Vec<u8>, is_killed: bool) -> Result<()> {
        self.swap();
        let before = self.count("parked").await?;
        self.push(plugin, component, true).await?;
        self.breaking += 1;
        self.swap();
        let parks = format!("a message meets the {plugin:?} that breaks");
        self.world
            .until(&parks, async || {
                Ok((self.count("parked").await? > before).then_some(()))
            })
            .await?;
        if is_killed {
            self.kill_switch(plugin).await?;
            self.swap();
        }
        self.back(plugin).await
    }

    /// A better one as a file: whole by a rename, or written piece by piece where it is looked at.
    async fn dropped(&mut self, plugin: Swapped, component: &[u8], in_pieces: bool) -> Result<()> {
        self.swap();
        if in_pieces {
            let mut file = fs::File::create(self.file(plugin))?;
            let piece = component.len().div_ceil(3);
            let mut there = 0;
            for part in component.chunks(piece) {
                file.write_all(part)?;
                file.sync_all()?;
                there += part.len();
                if there < component.len() {
                    self.pieces
                        .push(Digest::of(component.get(..there).unwrap_or_default()));
                    self.swap();
                }
            }
        } else {
            plugins::put(&self.world.plugins(), plugin.name(), component)?;
        }
        self.until(plugin, "live", json!(Digest::of(component))).await
    }

    /// A file that does not pass leaves what is live.
    async fn refused(&mut self, file: usize, live: &Digest) -> Result<()> {
        self.swap();
        let Some((_, file)) = self.broken.get(file) else {
            return Ok(());
        };
        let policy = Swapped::Policy;
        plugins::put(&self.world.plugins(), policy.name(), file)?;
        match file.len() > MAX_COMPONENT {
            // it is not read
            true => {
                self.until(policy, "refused", json!(too_large(file.len())))
                    .await?;
            }
            false => self.until(policy, "seen", json!(Digest::of(file))).await?,
        }
        self.until(policy, "live", json!(live)).await
    }

    /// Another config: the policy's settings alone.
    async fn settings(&mut self, number: u32) -> Result<()> {
        self.swap();
        let config = self.world.folder().join("cambist.toml");
        let text = fs::read_to_string(&config)?;
        let other = format!("above = \"{}\"\nrole = \"finance\"", 50_001 + number);
        let from = text.find("above = ").context("the config has a threshold")?;
        let to = text.get(from..).and_then(|rest| rest.find("\"finance\""));
        let to = from + to.context("and its role")? + "\"finance\"".len();
        let mut text = text.clone();
        text.replace_range(from..to, &other);
        fs::write(&config, text)?;
        self.step("config/reload", "{}").await.map(drop)
    }

    /// Every way of swapping the policy, and of a share or of another plugin by turns.
    async fn round(&mut self, number: u32) -> Result<()> {
        let (policy, is_even) = (Swapped::Policy, number.is_multiple_of(2));
        // good to better, by the API and by a file
        self.swap();
        let better = self.marks.next(policy)?;
        self.push(policy, better, true).await?;
        let better = self.marks.next(policy)?;
        let digest = Digest::of(&better);
        self.dropped(policy, &better, !is_even).await?;
        // good to what does not pass
        for file in [number, number + ROUNDS] {
            self.refused(file as usize, &digest).await?;
        }
        // good to what breaks when it is called, and back
        let at = number as usize;
        let by_hand = BROKEN_CALLS.get(at % BROKEN_CALLS.len()).context("one of them")?;
        let by_hand = plugins::numbered(&cambist_guests::by_hand(by_hand)?, number);
        self.breaks(policy, by_hand, !is_even).await?;
        let unruly = UNRULY.get(at % UNRULY.len()).context("one of them")?;
        let unruly = plugins::numbered(&plugins::unruly(unruly)?, number);
        self.breaks(policy, unruly, is_even).await?;
        // the host dies with messages under way, and a better one on its way in
        if number % 3 == 1 {
            self.killed(number % 6 == 1).await?;
        }
        // a good one is taken out, and put back by its name
        self.kill_switch(policy).await?;
        self.swap();
        let better = self.marks.next(policy)?;
        let named = json!({"by": "b.keller", "component": Digest::of(&better)});
        self.push(policy, better, false).await?;
        self.plugin(policy, "live", named).await?;
        self.settings(number).await?;
        if is_even {
            self.beside(number.is_multiple_of(4)).await?;
        } else {
            self.other(number).await?;
        }
        // the file is deleted: what is live stays
        self.swap();
        fs::remove_file(self.file(policy))?;
        Ok(())
    }

    /// The tax or the mapping: to better by a file, to what breaks and back, and by a share to
    /// better again.
    async fn other(&mut self, number: u32) -> Result<()> {
        let other = match number % 4 {
            1 => Swapped::Tax,
            _ => Swapped::Mapping,
        };
        let is_killed = number % 8 > 3;
        let better = self.marks.next(other)?;
        self.dropped(other, &better, !is_killed).await?;
        let traps = cambist_guests::by_hand("trap-everywhere")?;
        self.breaks(other, plugins::numbered(&traps, number), is_killed)
            .await?;
        let better = self.marks.next(other)?;
        self.push(other, better, false).await?;
        let share = json!({"by": "b.keller", "percent": 50});
        self.plugin(other, "share", share).await?;
        self.swap();
        let by = json!({"by": "b.keller"});
        self.plugin(other, "live", by).await.map(drop)
    }

    /// A policy beside the live one: a shadow, on and off, then a share, up, and live or away.
    async fn beside(&mut self, goes_live: bool) -> Result<()> {
        let policy = Swapped::Policy;
        self.swap();
        let candidate = self.marks.next(policy)?;
        self.push(policy, candidate, false).await?;
        self.plugin(policy, "shadow", json!({"by": "b.keller"})).await?;
        self.swap();
        for percent in [20, 60] {
            self.swap();
            let share = json!({"by": "b.keller", "percent": percent});
            self.plugin(policy, "share", share).await?;
        }
        let (what, by) = match goes_live {
            true => ("live", json!({"by": "b.keller"})),
            false => ("withdraw", json!({"by": "b.keller", "reason": "seen enough"})),
        };
        self.plugin(policy, what, by).await.map(drop)
    }

    /// Kills the host while a message is under way and a component comes in: as soon as it is
    /// sent, or once it is registered. Whether it is live afterwards is the host's to know.
    async fn killed(&mut self, is_registered: bool) -> Result<()> {
        let better = self.marks.next(Swapped::Policy)?;
        let component = Digest::of(&better);
        let coming = self.ask(&Self::pushed(Swapped::Policy, true), better)?;
        let coming = tokio::spawn(coming.send());
        if is_registered {
            self.world
                .until("it is registered", async || {
                    let acts = self.world.journal()?.acts().await?;
                    let is = acts.iter().any(|acted| acted.act.component == component);
                    Ok(is.then_some(()))
                })
                .await?;
        }
        let mut looks = 0;
        while self.count("due").await? == 0 {
            looks += 1;
            ensure!(looks < LOOKS, "no message is ever under way");
            self.stream.more(1);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.stream.more(DEALS);
        self.world.kill()?;
        self.kills += 1;
        // what it answered or did not is all the same
        drop(coming.await);
        self.world.restart(None).await?;
        self.stream.moved(&self.world)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swapped_hundreds_of_times_under_fire_nothing_is_lost_and_nothing_mixed() -> Result<()> {
    let rounds = std::env::var("CAMBIST_SWAP_ROUNDS").ok();
    let rounds: u32 = rounds.map_or(Ok(ROUNDS), |rounds| rounds.parse())?;
    let mut marks = Marks::default();
    let mut world = World::quiet(setup()?).await?;
    for plugin in Swapped::ALL {
        plugins::put(&world.plugins(), plugin.name(), &marks.next(plugin)?)?;
    }
    world.restart(None).await?;
    let stream = Stream::of(&world, u64::from(rounds) * 200)?;
    let mut broken = cambist_guests::refused()?;
    broken.push(("remembers its calls", remembers()?));
    let mut swapper = Swapper {
        world,
        marks,
        stream,
        broken,
        breaking: 0,
        pieces: Vec::new(),
        swaps: 0,
        kills: 0,
    };
    for number in 0..rounds {
        swapper.round(number).await?;
    }
    let Swapper {
        world,
        marks,
        stream,
        broken,
        breaking,
        pieces,
        swaps,
        kills,
    } = swapper;
    assert!(
        broken.len() <= 2 * ROUNDS as usize && BROKEN_CALLS.len().max(UNRULY.len()) <= ROUNDS as usize,
        "each way of being broken has its turn"
    );
    let acknowledged = stream.end().await?;
    let first = world.settled().await?;
    assert_eq!(first.len() as u64, acknowledged, "each is one message");

    // those that a broken one had, or none: parked, nothing of them delivered. Good ones take them,
    // as the way out says
    let mut parked: BTreeMap<&str, u32> = BTreeMap::new();
    for story in first.iter().filter(|story| story.state() == "parked") {
        ensure!(
            story.count("delivered") == 0,
            "{}: {}",
            story.id(),
            story.reason()
        );
        if let State::Parked { code, .. } = &story.0.status.state {
            *parked.entry(code).or_default() += 1;
        }
    }
    for code in parked.keys() {
        let body = [
            "parked", "retry", "--code", code, "--all", "--live", "--by", "b.keller",
        ];
        world.operate(&body).await?;
    }
    let acts = world.journal()?.acts().await?;
    let stories = world.settled().await?;
    assert_eq!(stories.len() as u64, acknowledged);
    let (mut proved, mut orders): (BTreeMap<Stage, usize>, _) = (BTreeMap::new(), BTreeSet::new());
    for story in &stories {
        story.done_once()?;
        assert_eq!(story.count("delivered"), 1, "{:?}", story.events());
        assert_eq!(story.commands()?.len(), story.plan()?.commands.len());
        assert_eq!(story.receipts().len(), story.plan()?.commands.len());
        for (stage, times) in marks.prove(&world, &acts, story)? {
            *proved.entry(stage).or_default() += times;
        }
        let receipts = story.receipts().into_iter();
        let own: BTreeSet<_> = receipts
            .filter(|it| it.model == "sale.order")
            .map(|it| &it.external_id)
            .collect();
        ensure!(own.len() == 1, "{}: one order of each deal: {own:?}", story.id());
        ensure!(
            own.into_iter().all(|id| orders.insert(id)),
            "an order is told twice"
        );
    }
    assert_eq!(orders.len() as u64, acknowledged, "the target has each order");
    // every message was judged and written by one that left its mark, and taxed, but in India
    let times = |stage| proved.get(&stage).copied().unwrap_or_default() as u64;
    assert!(times(Stage::Judge) >= acknowledged && times(Stage::Write) >= acknowledged);
    assert!(times(Stage::Tax) >= acknowledged / 2, "{proved:?}");
    let met: u32 = parked.values().sum();
    assert!(met >= breaking, "each that broke met some: {parked:?}");
    assert_eq!((breaking, kills), (2 * rounds + rounds / 2, (rounds + 1) / 3));

    // no piece of a file ever served, and nothing that does not pass
    let unfit: BTreeSet<Digest> = broken.iter().map(|(_, file)| Digest::of(file)).collect();
    let lives = acts
        .iter()
        .filter(|acted| matches!(acted.act.step, Step::Live { .. } | Step::Share { .. }));
    let lives: Vec<_> = lives.map(|acted| acted.act.component).collect();
    let stray = lives.iter().find(|it| pieces.contains(it) || unfit.contains(it));
    assert_eq!(stray, None);
    // each round makes ten live by itself, and the host that starts again writes none of it anew
    assert!(
        lives.len() >= 10 * rounds as usize,
        "{} times live in {swaps} swaps",
        lives.len()
    );
    world.verify().await
}
