//! What can be set: the part of the config that is about operators, and its manual.

use std::num::NonZeroU32;

use cambist_contract::secret::SecretRef;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Refused attempts a minute, where nothing else is set: a person mistypes a few
/// times, a misconfigured program a few times a minute.
pub const ATTEMPTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// Who may operate the host.
///
/// ```toml
/// token = { file = "/run/secrets/cambist-admin" }
/// attempts-per-minute = 10
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Options {
    /// Where the token is that operators send as `Authorization: Bearer …`: 22 to
    /// 256 characters; `openssl rand -hex 16` makes one.
    pub token: SecretRef,
    /// How many calls without the right token are answered and logged in a minute;
    /// more are told to wait. The right token always passes. Default 10.
    #[serde(default = "attempts_per_minute")]
    pub attempts_per_minute: NonZeroU32,
}

fn attempts_per_minute() -> NonZeroU32 {
    ATTEMPTS_PER_MINUTE
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_enough_and_an_unknown_key_is_refused() {
        let options: Options = toml::from_str(r#"token = { env = "ADMIN" }"#).unwrap();
        assert_eq!(options.token, SecretRef::Env("ADMIN".to_owned()));
        assert_eq!(options.attempts_per_minute, ATTEMPTS_PER_MINUTE);
        toml::from_str::<Options>("token = { env = \"ADMIN\" }\nlisten = \"\"").unwrap_err();
        toml::from_str::<Options>("").unwrap_err();
    }
}
