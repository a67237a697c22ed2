//! Reading a record that Odoo hinted at.
//!
//! Odoo's webhooks carry what somebody ticked, unsigned, and may be lost or come twice; they only say where to look. The body
//! is the record's fields as `read` shows them, with `model` and `id`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::message::Message;
use serde_json::{Value, json};

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind, object},
};
use crate::{ConnectError, Source, pace::Pace};

/// An Odoo database to read from.
pub struct OdooHints {
    client: OdooClient,
    fields: BTreeMap<String, Vec<String>>,
    pace: Pace,
}

impl OdooHints {
    pub(crate) fn new(client: OdooClient, fields: BTreeMap<String, Vec<String>>, pace: Pace) -> Self {
        Self { client, fields, pace }
    }
}

#[async_trait]
impl Source for OdooHints {
    async fn fetch(&self, message: &Message) -> Result<Value, ConnectError> {
        let unsupported = || ConnectError::Unsupported {
            system: self.client.system().to_owned(),
            kind: message.object_kind.clone(),
        };
        let fields = self.fields.get(&message.object_kind).ok_or_else(unsupported)?;
        let about = About {
            model: &message.object_kind,
            external_id: &message.object_id,
        };
        let id: i64 = message.object_id.parse().map_err(|_| {
            self.client
                .error(Fault::Misfit("its id is no number".to_owned()), about, Kind::Read)
        })?;
        let _turn = self.pace.enter().await;
        let arguments = object(json!({"ids": [id], "fields": fields}));
        let answer = self.client.value(about, "read", arguments, Kind::Read).await?;
        let Some(Value::Object(record)) = answer.as_array().and_then(|records| records.first()) else {
            return Err(self.client.error(Fault::Gone(String::new()), about, Kind::Read));
        };
        let mut body = object(json!({"model": message.object_kind}));
        body.extend(record.clone());
        Ok(Value::Object(body))
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}
