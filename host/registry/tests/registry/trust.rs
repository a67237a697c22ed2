//! Who must have signed a component before it serves, and which component may serve at all.

use std::{fs, io::Cursor, sync::atomic::Ordering};

use cambist_contract::digest::Digest;
use cambist_registry::{Ledger as _, Options, Registry, Reloaded, RouteError, Trust, signature};
use minisign::KeyPair;
use serde_json::{Value, json};

use crate::double::{NOW, Site, binding, framed, judge_of, live, saying};

/// A key pair, and what a config says of it.
struct Signer(KeyPair);

impl Signer {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().unwrap())
    }

    /// The key in the config, with more fields from `terms`.
    fn key(&self, terms: Value) -> Value {
        let mut key = json!({"public-key": self.0.pk.to_base64()});
        key.as_object_mut()
            .unwrap()
            .extend(terms.as_object().unwrap().clone());
        key
    }

    /// The id, as minisign shows it.
    fn id(&self) -> String {
        let id: [u8; 8] = self.0.pk.keynum().try_into().unwrap();
        format!("{:016X}", u64::from_le_bytes(id))
    }

    /// The component with one more signature.
    fn sign(&self, component: &[u8]) -> Vec<u8> {
        let parts = signature::split(component).unwrap();
        let by = self.signature(parts.content);
        let mut all = parts.signatures;
        all.push(&by);
        signature::join(parts.content, &all).unwrap()
    }

    fn signature(&self, content: &[u8]) -> String {
        let signature = minisign::sign(
            Some(&self.0.pk),
            &self.0.sk,
            Cursor::new(content),
            Some("timestamp:1790000000"),
            None,
        );
        signature.unwrap().into_string()
    }
}

fn trust(signatures: &str, keys: Value) -> Trust {
    serde_json::from_value(json!({"signatures": signatures, "keys": keys})).unwrap()
}

/// A site whose plugin judges for region `de`.
fn site(trust: Trust) -> Site {
    let mut site = Site::new([binding("deal-desk", json!({"region": "de"}))]);
    site.trust = trust;
    fs::create_dir_all(site.plugin("")).unwrap();
    site
}

/// What becomes of a component at a host of its own: none when it is live, else why it is
/// refused.
fn outcome_at(site: &Site, component: &[u8]) -> Option<String> {
    let status = site.open().offer("deal-desk", component, NOW);
    assert_eq!(status.live.is_none(), status.refused.is_some(), "{status:?}");
    status.refused
}

fn outcome(trust: &Trust, component: &[u8]) -> Option<String> {
    outcome_at(&site(trust.clone()), component)
}

/// The same for a plugin that judges for all these regions.
fn outcome_in(regions: &[&str], trust: &Trust, component: &[u8]) -> Option<String> {
    let mut site = site(trust.clone());
    let bindings = regions
        .iter()
        .map(|region| binding("deal-desk", json!({"region": region})));
    site.bind(bindings.collect::<Vec<_>>());
    outcome_at(&site, component)
}

fn plain() -> Vec<u8> {
    framed(&saying("one"))
}

#[test]
fn what_is_not_signed_is_refused_before_it_is_compiled() {
    let munich = Signer::new();
    let trust = trust("required", json!({"munich": munich.key(json!({}))}));
    let needs = format!(
        "needs one by `munich` ({}); `cambist plugin sign FILE --key",
        munich.id()
    );
    for component in [plain(), saying("one")] {
        let site = site(trust.clone());
        let why = outcome_at(&site, &component).unwrap();
        assert!(why.contains("it is not signed") && why.contains(&needs), "{why}");
        // nor is what nothing would call
        site.open().offer("another", &component, NOW);
        assert_eq!(site.loader.loads.load(Ordering::SeqCst), 0);
        assert_eq!(site.loader.descriptions.load(Ordering::SeqCst), 0);
    }
    assert_eq!(outcome(&trust, &munich.sign(&plain())), None);
}

#[test]
fn required_signatures_without_a_key_let_nothing_pass() {
    let trust = trust("required", json!({}));
    for component in [plain(), Signer::new().sign(&plain())] {
        let why = outcome(&trust, &component).unwrap();
        assert!(
            why.contains("add [trust.keys.NAME] with its `public-key`"),
            "{why}"
        );
    }
}

#[test]
fn a_key_counts_for_its_regions_only() {
    let (munich, pune, both) = (Signer::new(), Signer::new(), Signer::new());
    let keys = json!({
        "munich": munich.key(json!({"regions": ["de"]})),
        "pune": pune.key(json!({"regions": ["in"]})),
        "both": both.key(json!({"regions": ["de", "in"]})),
    });
    let trust = trust("required", keys);
    let why = outcome(&trust, &pune.sign(&plain())).unwrap();
    let not = format!("`pune` ({}) may not sign for this binding's region", pune.id());
    let would = format!("`both` ({}) or `munich` ({})", both.id(), munich.id());
    assert!(why.contains(&not) && why.contains(&would), "{why}");
    assert_eq!(outcome(&trust, &munich.sign(&pune.sign(&plain()))), None);

    // a plugin that serves two regions is signed for both, by one key or by two
    let regions = ["de", "in"];
    assert!(outcome_in(&regions, &trust, &munich.sign(&plain())).is_some());
    assert_eq!(
        outcome_in(&regions, &trust, &pune.sign(&munich.sign(&plain()))),
        None
    );
    assert_eq!(outcome_in(&regions, &trust, &both.sign(&plain())), None);

    // and a binding for all regions wants a key for all
    let mut for_all = site(trust);
    for_all.bind([binding("deal-desk", json!({}))]);
    let why = outcome_at(&for_all, &both.sign(&plain())).unwrap();
    assert!(why.contains("add [trust.keys.NAME]"), "{why}");
}

#[test]
fn a_changed_component_is_refused_whoever_signed_it() {
    let munich = Signer::new();
    for signatures in ["required", "optional"] {
        let trust = trust(signatures, json!({"munich": munich.key(json!({}))}));
        let by = format!("its signature by `munich` ({}) does not fit", munich.id());
        let refused = |component: &[u8]| {
            let why = outcome(&trust, component).unwrap();
            assert!(why.contains(&by), "{why}");
        };
        let mut changed = munich.sign(&plain());
        let at = changed.iter().position(|sign| *sign == b'o').unwrap();
        changed[at] = b'0';
        refused(&changed);
        // what the signer wrote is signed too
        let text = munich
            .signature(&plain())
            .replace("timestamp:179", "timestamp:189");
        refused(&signature::join(&plain(), &[&text]).unwrap());
        // and a signature of another file helps nobody
        let other = munich.signature(&framed(&saying("two")));
        refused(&signature::join(&plain(), &[&other]).unwrap());
    }
}

#[test]
fn optional_takes_what_is_not_signed_and_holds_signers_to_it() {
    let (munich, stranger) = (Signer::new(), Signer::new());
    let trust = trust("optional", json!({"munich": munich.key(json!({}))}));
    assert_eq!(outcome(&trust, &plain()), None);
    assert_eq!(outcome(&trust, &munich.sign(&plain())), None);
    assert_eq!(outcome(&trust, &munich.sign(&stranger.sign(&plain()))), None);
    let why = outcome(&trust, &stranger.sign(&plain())).unwrap();
    let unknown = format!("the key {} is not in the config", stranger.id());
    assert!(why.contains(&unknown), "{why}");
    // where nobody says who may sign, there is nothing to hold it against
    assert_eq!(outcome(&Trust::default(), &stranger.sign(&plain())), None);
}

#[test]
fn signatures_that_cannot_be_read_are_refused() {
    let munich = Signer::new();
    let trust = trust("optional", json!({"munich": munich.key(json!({}))}));
    let refused = |component: &[u8], because: &str| {
        let why = outcome(&trust, component).unwrap();
        assert!(why.contains(because), "{why}");
    };
    let signed = munich.sign(&plain());
    refused(&signed[..signed.len() - 1], "not a WebAssembly component: ");
    refused(
        &signature::join(&plain(), &["four\nlines\nof\nnothing"]).unwrap(),
        "one of its signatures is none of minisign's",
    );
    // one more than there may be, each of them good
    let text = munich.signature(&plain());
    let mut many = signature::join(&plain(), &[text.as_str(); signature::MAX_SIGNATURES]).unwrap();
    assert_eq!(outcome(&trust, &many), None);
    many.extend_from_slice(&signed[plain().len()..]);
    refused(&many, "it carries more than 8 signatures");
    // what stands behind a signature is not signed
    let behind = framed(&saying("two"));
    let longer = [signed.as_slice(), &behind[8..]].concat();
    refused(&longer, "something stands behind its signatures");
}

/// A site on which a component that only the `old` key signed is live, and what the config
/// says of that key.
fn signed_by(old: &Signer) -> Site {
    let site = site(trust("required", json!({"old": old.key(json!({}))})));
    fs::write(site.plugin("deal-desk.wasm"), old.sign(&plain())).unwrap();
    let registry = site.open();
    registry.refresh(NOW);
    assert!(live(&registry).is_some());
    site
}

fn restarted(site: &Site) -> Registry {
    let registry = site.open();
    registry.refresh(NOW);
    registry
}

#[test]
fn a_revoked_key_takes_with_it_what_only_it_signed() {
    for has_file in [true, false] {
        let old = Signer::new();
        let mut site = signed_by(&old);
        let revision = judge_of(&restarted(&site), "de", "").unwrap();
        if !has_file {
            fs::remove_file(site.plugin("deal-desk.wasm")).unwrap();
        }
        site.trust = trust("required", json!({"old": old.key(json!({"revoked": true}))}));
        let revoked = format!("`old` ({}) is revoked", old.id());
        let registry = restarted(&site);
        assert_eq!(live(&registry), None);
        let status = registry.plugin_status("deal-desk");
        assert_eq!(status.live, None);
        let why = status.refused.unwrap();
        assert!(why.contains(&revoked), "{why}");
        let [(_, why)] = registry.missing().try_into().unwrap();
        assert!(why.contains("what was live does not pass any more"), "{why}");
        // nor does a message that is pinned to it call it
        let error = registry.pinned(&revision).err().unwrap();
        assert!(matches!(error, RouteError::Gone { .. }), "{error}");
        assert!(error.to_string().contains(&revoked), "{error}");
        // it is told once
        let told = site.ledger.all().unwrap().len();
        drop(registry);
        drop(restarted(&site));
        assert_eq!(site.ledger.all().unwrap().len(), told);

        // and when the config is set right, it comes back
        site.trust = trust("required", json!({"old": old.key(json!({}))}));
        let registry = restarted(&site);
        assert!(live(&registry).is_some());
        let status = registry.plugin_status("deal-desk");
        let state = status.components[0].standing.name();
        assert_eq!(state, "live", "{status:?}");
    }
}

#[test]
fn a_key_that_is_revoked_while_the_host_runs_waits_for_nobody() {
    let old = Signer::new();
    let site = signed_by(&old);
    let registry = restarted(&site);
    let revision = judge_of(&registry, "de", "").unwrap();
    let hold = |terms: Value| {
        let options = Options {
            bindings: vec![binding("deal-desk", json!({"region": "de"}))],
            trust: trust("required", json!({"old": old.key(terms)})),
            ..Options::default()
        };
        registry.reload(options, |switch| switch()).unwrap()
    };
    let changed = hold(json!({"revoked": true}));
    assert!(changed.plugins.contains("deal-desk"));
    let (_, why) = changed.out.get("deal-desk").unwrap();
    assert!(why.contains(&format!("`old` ({}) is revoked", old.id())), "{why}");
    assert_eq!(live(&registry), None);
    let error = registry.pinned(&revision).err().unwrap();
    assert!(matches!(error, RouteError::Gone { .. }), "{error}");
    let [(_, why)] = registry.missing().try_into().unwrap();
    assert!(why.contains(&format!("`old` ({}) is revoked", old.id())), "{why}");
    assert_eq!(
        hold(json!({"revoked": true})),
        Reloaded::default(),
        "it is told once"
    );
    hold(json!({}));
    assert_eq!(judge_of(&registry, "de", "").unwrap(), revision);
    let status = registry.plugin_status("deal-desk");
    assert_eq!(status.components[0].standing.name(), "live", "{status:?}");
}

#[test]
fn a_key_that_was_revoked_since_lets_nothing_go_back_whole_and_ends_what_is_held() {
    let (old, new) = (Signer::new(), Signer::new());
    let site = signed_by(&old);
    let keys = |terms: Value| {
        trust(
            "required",
            json!({"old": old.key(terms), "new": new.key(json!({}))}),
        )
    };
    let config = |terms: Value, limit: u32| Options {
        bindings: vec![binding(
            "deal-desk",
            json!({"region": "de", "settings": {"limit": limit}}),
        )],
        trust: keys(terms),
        ..Options::default()
    };
    let registry = restarted(&site);
    let first = judge_of(&registry, "de", "").unwrap();
    registry.reload(config(json!({}), 2), |switch| switch()).unwrap();
    registry.go_back_whole("deal-desk", "b.keller").unwrap();
    assert_eq!(judge_of(&registry, "de", "").unwrap(), first);
    // a hold keeps no revocation waiting
    let told = registry
        .reload(config(json!({"revoked": true}), 2), |switch| switch())
        .unwrap();
    let (_, why) = told.out.get("deal-desk").unwrap();
    assert!(why.contains(&format!("`old` ({}) is revoked", old.id())), "{why}");
    assert_eq!(live(&registry), None);
    // once another serves, what the revoked key signed is refused by name as well
    let signed = new.sign(&framed(&saying("no")));
    registry.push("deal-desk", &signed, "b.keller", true).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&signed)));
    let error = registry
        .make_revision_live("deal-desk", &first.to_string(), "b.keller")
        .unwrap_err();
    assert!(error.to_string().contains("is revoked"), "{error}");
    assert_eq!(live(&registry), Some(Digest::of(&signed)));
}

/// What a registry says of a config with this trust, for these regions.
fn held(registry: &Registry, regions: &[&str], trust: Trust) -> Result<Reloaded, String> {
    let bindings = regions
        .iter()
        .map(|region| binding("deal-desk", json!({"region": region})));
    let options = Options {
        bindings: bindings.collect(),
        trust,
        ..Options::default()
    };
    let held = registry.reload(options, |switch| switch());
    held.map_err(|error| error.to_string())
}

#[test]
fn a_config_that_would_take_out_what_serves_does_not_hold() {
    let (munich, pune, old) = (Signer::new(), Signer::new(), Signer::new());
    let mut site = site(Trust::default());
    site.bind(["de", "in"].map(|region| binding("deal-desk", json!({"region": region}))));
    fs::write(site.plugin("deal-desk.wasm"), plain()).unwrap();
    let registry = restarted(&site);
    let before = (live(&registry), site.ledger.all().unwrap());
    let stays = || assert_eq!((live(&registry), site.ledger.all().unwrap()), before);
    let keys = json!({
        "munich": munich.key(json!({"regions": ["de"]})),
        "pune": pune.key(json!({"regions": ["in"]})),
    });
    // nothing is signed: it names the keys of each region, and changes nothing
    let why = held(&registry, &["de", "in"], trust("required", keys.clone())).unwrap_err();
    for (name, key) in [("munich", &munich), ("pune", &pune)] {
        let needs = format!(
            "it is not signed, and signatures are required: it needs one by `{name}` ({})",
            key.id()
        );
        assert!(why.contains(&needs), "{why}");
    }
    assert!(
        why.contains("it serves now, so the config does not hold"),
        "{why}"
    );
    stays();
    // and a key that is revoked beside it, and never signed anything here, is no excuse
    let mut with_revoked = keys.clone();
    with_revoked["old"] = old.key(json!({"revoked": true}));
    held(&registry, &["de", "in"], trust("required", with_revoked)).unwrap_err();
    stays();
    // it takes effect when what is live is signed
    let signed = pune.sign(&munich.sign(&plain()));
    registry.push("deal-desk", &signed, "b.keller", true).unwrap();
    held(&registry, &["de", "in"], trust("required", keys.clone())).unwrap();
    assert_eq!(live(&registry), Some(Digest::of(&signed)));
    // a key that is gone, one that is for other regions and a region more are no revocations
    let gone = json!({"munich": keys["munich"]});
    let why = held(&registry, &["de", "in"], trust("required", gone)).unwrap_err();
    assert!(
        why.contains(&format!("the key {} is not in the config", pune.id())),
        "{why}"
    );
    let mut elsewhere = keys.clone();
    elsewhere["pune"]["regions"] = json!(["fr"]);
    let why = held(&registry, &["de", "in"], trust("required", elsewhere)).unwrap_err();
    assert!(why.contains("may not sign for this binding's region"), "{why}");
    let why = held(&registry, &["de", "in", "fr"], trust("required", keys.clone())).unwrap_err();
    assert!(why.contains("may not sign for this binding's region"), "{why}");
    assert_eq!(live(&registry), Some(Digest::of(&signed)));
    // a revoked one is
    let mut revoked = keys;
    revoked["pune"]["revoked"] = json!(true);
    let out = held(&registry, &["de", "in"], trust("required", revoked))
        .unwrap()
        .out;
    assert!(out.contains_key("deal-desk"));
    assert_eq!(live(&registry), None);
}

#[test]
fn a_revocation_waits_for_what_else_is_wrong_and_says_so() {
    let old = Signer::new();
    let mut site = site(trust("optional", json!({"old": old.key(json!({}))})));
    site.bind([
        binding("deal-desk", json!({})),
        binding("other", json!({"region": "fr"})),
    ]);
    fs::write(site.plugin("deal-desk.wasm"), old.sign(&plain())).unwrap();
    fs::write(site.plugin("other.wasm"), framed(&saying("two"))).unwrap();
    let registry = restarted(&site);
    let hold = |signatures: &str| {
        let options = Options {
            bindings: site.bindings.clone(),
            trust: trust(signatures, json!({"old": old.key(json!({"revoked": true}))})),
            ..Options::default()
        };
        registry.reload(options, |switch| switch())
    };
    let why = hold("required").unwrap_err().to_string();
    assert!(
        why.contains("it is not signed") && why.contains("it serves until all of the config passes"),
        "{why}"
    );
    assert!(live(&registry).is_some());
    assert!(hold("optional").unwrap().out.contains_key("deal-desk"));
    assert_eq!(live(&registry), None);
}

#[test]
fn a_check_looks_at_what_is_live_and_not_in_the_folder() {
    let munich = Signer::new();
    let mut site = site(Trust::default());
    fs::write(site.plugin("deal-desk.wasm"), munich.sign(&plain())).unwrap();
    let registry = restarted(&site);
    registry.push("deal-desk", &plain(), "b.keller", true).unwrap();
    drop(registry);
    site.trust = trust("required", json!({"munich": munich.key(json!({}))}));
    let registry = site.open();
    let told = registry.obstacles().unwrap();
    assert!(
        told.iter().all(|it| it.is_warning),
        "the file is signed: {told:?}"
    );
    let [obstacle] = registry.obstacles_of_live().unwrap().try_into().unwrap();
    let of = format!("of component {}, which is live", Digest::of(&plain()).short());
    assert!(
        obstacle.reason.contains("it is not signed") && obstacle.reason.contains(&of),
        "{obstacle:?}"
    );
    // what serves is the one in the folder
    drop(registry);
    site.trust = Trust::default();
    let registry = restarted(&site);
    registry
        .push("deal-desk", &munich.sign(&plain()), "b.keller", true)
        .unwrap();
    assert_eq!(registry.obstacles_of_live().unwrap(), []);
}

#[test]
fn what_its_key_took_along_can_be_made_live_once_the_key_counts_again() {
    let (old, new) = (Signer::new(), Signer::new());
    let mut site = signed_by(&old);
    let first = live(&restarted(&site)).unwrap();
    let revoked = json!({"old": old.key(json!({"revoked": true})), "new": new.key(json!({}))});
    site.trust = trust("required", revoked);
    let second = new.sign(&framed(&saying("two")));
    fs::write(site.plugin("deal-desk.wasm"), &second).unwrap();
    let registry = restarted(&site);
    assert_eq!(live(&registry), Some(Digest::of(&second)));
    let named = first.to_string();
    let refused = registry.make_live("deal-desk", Some(&named), "b.keller");
    assert!(refused.unwrap_err().to_string().contains("is revoked"));

    let both = json!({"old": old.key(json!({})), "new": new.key(json!({}))});
    site.trust = trust("required", both);
    let registry = restarted(&site);
    registry.make_live("deal-desk", Some(&named), "b.keller").unwrap();
    assert_eq!(live(&registry), Some(first));
}

#[test]
fn no_byte_of_what_is_signed_can_be_changed() {
    let munich = Signer::new();
    let trust = trust("required", json!({"munich": munich.key(json!({}))}));
    let signed = munich.sign(&plain());
    let admits = |bytes: &[u8]| {
        let found = trust.look(bytes);
        found.and_then(|found| trust.admit(&found, Some("de"))).is_ok()
    };
    assert!(admits(&signed));
    // the first line is the comment that minisign itself calls untrusted
    let text = b"untrusted comment: ";
    let comment = signed.windows(text.len()).position(|it| it == text).unwrap();
    let line = signed[comment..].iter().position(|sign| *sign == b'\n').unwrap();
    for at in (0..signed.len()).filter(|at| !(comment..comment + line).contains(at)) {
        for bit in 0..8 {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            assert!(!admits(&changed), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_key_is_rotated_over_two_signatures() {
    let (old, new) = (Signer::new(), Signer::new());
    let mut site = signed_by(&old);
    // both count for a while, and the plugin is signed by the new one too
    site.trust = trust(
        "required",
        json!({"old": old.key(json!({})), "new": new.key(json!({}))}),
    );
    let both = new.sign(&old.sign(&plain()));
    fs::write(site.plugin("deal-desk.wasm"), &both).unwrap();
    assert_eq!(live(&restarted(&site)), Some(Digest::of(&both)));
    let revoked = json!({"old": old.key(json!({"revoked": true})), "new": new.key(json!({}))});
    site.trust = trust("required", revoked);
    assert_eq!(live(&restarted(&site)), Some(Digest::of(&both)));
}

#[test]
fn a_binding_may_take_one_component_alone() {
    let (one, two) = (saying("one"), saying("two"));
    let mut site = site(Trust::default());
    assert_eq!(outcome_at(&site, &one), None);
    let free = judge_of(&restarted(&site), "de", "").ok();
    let pinned = |component: &[u8]| {
        let terms = json!({"region": "de", "component": Digest::of(component).to_string()});
        [binding("deal-desk", terms)]
    };
    site.bind(pinned(&one));
    let registry = restarted(&site);
    let status = registry.offer("deal-desk", &two, NOW);
    assert_eq!(status.live, Some(Digest::of(&one)));
    let why = status.refused.unwrap();
    for digest in [&one, &two].map(|component| Digest::of(component).to_string()) {
        assert!(why.contains(&digest), "{why}");
    }
    assert_eq!(
        judge_of(&registry, "de", "").ok(),
        free,
        "the pin is no part of a revision"
    );
}
