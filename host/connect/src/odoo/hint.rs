//! Reading a record that Odoo hinted at.
//!
//! Odoo's webhooks carry what somebody ticked, unsigned, and may be lost or come twice; they only say where to look. What
//! is there is read in `record.rs`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use cambist_contract::message::Message;
use serde_json::Value;

use super::{
    OdooClient,
    answer::Fault,
    client::{About, Kind},
    fields, record,
};
use crate::{ConnectError, Source, line::Line};

/// An Odoo database to read from.
pub struct OdooHints {
    client: OdooClient,
    fields: BTreeMap<String, Vec<String>>,
    line: Line,
}

impl OdooHints {
    pub(crate) fn new(client: OdooClient, fields: BTreeMap<String, Vec<String>>, line: Line) -> Self {
        Self { client, fields, line }
    }
}

#[async_trait]
impl Source for OdooHints {
    async fn fetch(&self, message: &Message) -> Result<Value, ConnectError> {
        let unsupported = || ConnectError::Unsupported {
            system: self.client.system().to_owned(),
            kind: message.object_kind.clone(),
        };
        let named = self.fields.get(&message.object_kind).cloned();
        let fields = named
            .or_else(|| fields::usual(&message.object_kind))
            .ok_or_else(unsupported)?;
        let about = About {
            model: &message.object_kind,
            external_id: &message.object_id,
        };
        let id: i64 = message.object_id.parse().map_err(|_| {
            self.client
                .error(Fault::Misfit("its id is no number".to_owned()), about, Kind::Read)
        })?;
        let turn = self.line.turn().await;
        let record = record::read(&self.client, (&message.object_kind, id), &fields).await;
        turn.end(&record);
        record.map(Value::Object)
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}
