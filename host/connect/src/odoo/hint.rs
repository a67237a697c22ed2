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
    bills,
    client::{About, Kind},
    fields, record,
};
use crate::{ConnectError, Source, line::Line, options};

/// An Odoo database to read from.
pub struct OdooHints {
    client: OdooClient,
    fields: BTreeMap<String, Vec<String>>,
    bills: Option<options::Bills>,
    line: Line,
}

impl OdooHints {
    pub(crate) fn new(
        client: OdooClient,
        fields: BTreeMap<String, Vec<String>>,
        bills: Option<options::Bills>,
        line: Line,
    ) -> Self {
        Self {
            client,
            fields,
            bills,
            line,
        }
    }

    /// A record, and with an order what its bills rest on, where that is asked for.
    async fn read(&self, (model, id): (&str, i64), mut fields: Vec<String>) -> Result<Value, ConnectError> {
        let bills = self.bills.as_ref().filter(|_| model == bills::ORDER);
        fields.extend(bills.iter().flat_map(|bills| bills.order.iter().cloned()));
        let mut body = record::read(&self.client, (model, id), &fields).await?;
        if let Some(options) = bills {
            let belonging = bills::read(&self.client, id, options).await?;
            body.insert(bills::BILLS.to_owned(), Value::Object(belonging));
        }
        Ok(Value::Object(body))
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
        let record = self.read((&message.object_kind, id), fields).await;
        turn.end(&record);
        record
    }

    async fn ready(&self) -> Result<(), ConnectError> {
        self.client.ready().await
    }
}
