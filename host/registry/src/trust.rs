//! Whose signatures a component needs before it may serve a binding.
//!
//! Looked at before a component is compiled, each time it is about to go live, and when a
//! message asks for what it is pinned to: a key that is revoked takes with it what only
//! that key signed.
//!
//! `optional` is for the time until all regions sign. It keeps nobody out who means ill,
//! because signatures can be taken off. It holds those who sign to it: a changed file, a
//! key that nobody knows, or one that is revoked is found on the day it is used, and not
//! when signatures become required.

mod key;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::signature::{self, PartsError};

pub use key::{KeyId, NotAKey, PublicKey};

/// Who may sign plugins, and whether they have to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Trust {
    /// Whether a plugin has to be signed: `required`, or `optional`. Default `optional`:
    /// what is not signed is taken, and what is signed has to be signed well.
    pub signatures: Signatures,
    /// The keys that may sign, by name. Two for a region at once are how one takes the
    /// other's place: sign with both, then revoke the old one.
    pub keys: BTreeMap<String, Key>,
}

/// Whether a plugin has to be signed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signatures {
    /// Nothing serves a binding without a good signature for its region.
    Required,
    /// What is not signed is taken.
    #[default]
    Optional,
}

/// A key that may sign.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Key {
    /// Minisign's public key, as `cambist plugin key` prints it.
    pub public_key: PublicKey,
    /// The regions whose bindings it may sign for. Left out, it may sign for all, and for
    /// bindings that name no region.
    pub regions: Option<BTreeSet<String>>,
    /// Whether it is not to be trusted any more. Leave the key in the config, so that a
    /// refusal can say so.
    #[serde(default)]
    pub revoked: bool,
}

impl Key {
    fn is_for(&self, region: Option<&str>) -> bool {
        match (&self.regions, region) {
            (None, _) => true,
            (Some(regions), Some(region)) => regions.contains(region),
            (Some(_), None) => false,
        }
    }
}

/// A signature that a component carries.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Signature {
    /// The key that it says it is by.
    pub key_id: KeyId,
    /// What the signer wrote, and signed too.
    pub comment: String,
    /// What it is worth.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What a signature is worth.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// It is by this key of the config, and of these bytes.
    Good {
        /// The key's name.
        key: String,
    },
    /// Its key is revoked.
    Revoked {
        /// The key's name.
        key: String,
    },
    /// It has this key's id and is not by it, or not of these bytes.
    Wrong {
        /// The key's name.
        key: String,
    },
    /// No key of the config has this id.
    Unknown,
}

/// A component is not trusted.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum TrustError {
    /// Its signatures cannot be read.
    #[error(transparent)]
    Parts(#[from] PartsError),
    /// One of them is none.
    #[error("one of its signatures is none of minisign's; build it again, and sign that")]
    NotASignature,
    /// It has none, and needs one.
    #[error(
        "it is not signed, and signatures are required: it needs one by {needed}; `cambist plugin sign FILE --key \
         KEYFILE` makes it"
    )]
    Unsigned {
        /// The keys that would do.
        needed: String,
    },
    /// It has some, and none by a key that counts here.
    #[error(
        "none of its signatures counts here: {found}; it needs one by {needed}; `cambist plugin sign FILE --key \
         KEYFILE` makes it"
    )]
    NoneCounts {
        /// What it has.
        found: String,
        /// The keys that would do.
        needed: String,
    },
    /// One has the id of a key and is not that key's signature of these bytes.
    #[error(
        "its signature by {key} does not fit: it was changed after it was signed, or somebody else signed in that \
         key's name; have it built and signed again"
    )]
    Wrong {
        /// The key.
        key: String,
    },
}

impl Trust {
    /// The signatures that a component carries, and what each is worth.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn look(&self, bytes: &[u8]) -> Result<Vec<Signature>, TrustError> {
        let parts = signature::split(bytes)?;
        let all = parts.signatures.iter();
        all.map(|text| self.judge(text, parts.content)).collect()
    }

    /// The same with no more keys revoked than `before` has: what passes then is kept out by a
    /// revocation alone.
    pub(crate) fn as_revoked_in(&self, before: &Self) -> Self {
        let was_revoked = |key: &PublicKey| {
            let mut keys = before.keys.values();
            keys.any(|known| known.revoked && known.public_key.id() == key.id())
        };
        let mut same = self.clone();
        for key in same.keys.values_mut() {
            key.revoked &= was_revoked(&key.public_key);
        }
        same
    }

    fn judge(&self, text: &str, content: &[u8]) -> Result<Signature, TrustError> {
        let signature = minisign_verify::Signature::decode(text).map_err(|_| TrustError::NotASignature)?;
        let id = text.lines().nth(1).and_then(KeyId::of);
        let key_id = id.ok_or(TrustError::NotASignature)?;
        let by_id: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, key)| key.public_key.id() == key_id)
            .collect();
        let good = || {
            let mut by_id = by_id.iter();
            by_id.find(|(_, key)| key.public_key.verifies(content, &signature))
        };
        let verdict = if let Some((name, _)) = by_id.iter().find(|(_, key)| key.revoked) {
            Verdict::Revoked { key: (*name).clone() }
        } else if let Some((name, _)) = good() {
            Verdict::Good { key: (*name).clone() }
        } else if let Some((name, _)) = by_id.first() {
            Verdict::Wrong { key: (*name).clone() }
        } else {
            Verdict::Unknown
        };
        Ok(Signature {
            key_id,
            comment: signature.trusted_comment().to_owned(),
            verdict,
        })
    }

    /// Whether a component with these signatures may serve a binding of this region; none
    /// for a binding that names no region.
    ///
    /// # Errors
    ///
    /// It may not, and why.
    pub fn admit(&self, found: &[Signature], region: Option<&str>) -> Result<(), TrustError> {
        self.check(found, |key| key.is_for(region))
    }

    /// Whether a component with these signatures may go on serving the messages that are
    /// pinned to it, wherever they are from.
    ///
    /// # Errors
    ///
    /// It may not, and why.
    pub fn keep(&self, found: &[Signature]) -> Result<(), TrustError> {
        self.check(found, |_| true)
    }

    fn check(&self, found: &[Signature], counts: impl Fn(&Key) -> bool) -> Result<(), TrustError> {
        let is_optional = self.signatures == Signatures::Optional;
        // without a key there is nothing to hold a signature against
        if is_optional && (found.is_empty() || self.keys.is_empty()) {
            return Ok(());
        }
        let mut reasons = Vec::new();
        let mut is_enough = false;
        for Signature { key_id, verdict, .. } in found {
            match verdict {
                Verdict::Good { key } if self.keys.get(key).is_some_and(&counts) => is_enough = true,
                Verdict::Good { key } => {
                    reasons.push(format!(
                        "`{key}` ({key_id}) may not sign for this binding's region"
                    ));
                }
                Verdict::Revoked { key } => reasons.push(format!("`{key}` ({key_id}) is revoked")),
                Verdict::Unknown => reasons.push(format!("the key {key_id} is not in the config")),
                Verdict::Wrong { key } => {
                    let key = format!("`{key}` ({key_id})");
                    return Err(TrustError::Wrong { key });
                }
            }
        }
        if is_enough {
            return Ok(());
        }
        let needed = self.needed(counts);
        match reasons.is_empty() {
            true => Err(TrustError::Unsigned { needed }),
            false => Err(TrustError::NoneCounts {
                found: reasons.join(", "),
                needed,
            }),
        }
    }

    /// The keys that would do, for people.
    fn needed(&self, counts: impl Fn(&Key) -> bool) -> String {
        let would = self.keys.iter().filter(|(_, key)| !key.revoked && counts(key));
        let named: Vec<String> = would
            .map(|(name, key)| format!("`{name}` ({})", key.public_key.id()))
            .collect();
        if named.is_empty() {
            return "a key that the config does not have yet (add [trust.keys.NAME] with its `public-key`)"
                .to_owned();
        }
        named.join(" or ")
    }
}
