//! Reading what Odoo hinted at.

use std::collections::BTreeMap;

use cambist_contract::message::{Message, MessageId};
use serde_json::json;

use crate::support::{Odoo, fresh, target_id, upsert};

#[tokio::test]
async fn a_hint_is_read_again_as_it_is_now() -> anyhow::Result<()> {
    let Some(odoo) = Odoo::here() else { return Ok(()) };
    let id = fresh("hint");
    let plan = [upsert(
        "res.partner",
        &id,
        json!({"name": "Hint", "country_id/id": "base.in"}),
    )];
    let partner = target_id(&odoo.target().deliver(&plan, &[]).await?, 0);
    let at = jiff::Timestamp::UNIX_EPOCH;
    let mut message = Message {
        id: MessageId::of("odoo", &partner),
        system: "odoo".to_owned(),
        event: "write".to_owned(),
        object_kind: "res.partner".to_owned(),
        object_id: partner.clone(),
        dedupe: partner.clone(),
        key: partner.clone(),
        occurred_at: at,
        received_at: at,
        headers: BTreeMap::new(),
        body: "{}".to_owned(),
    };
    let source = odoo.source();
    let body = source.fetch(&message).await?;
    assert_eq!(body.get("model"), Some(&json!("res.partner")));
    assert_eq!(body.get("name"), Some(&json!("Hint")));
    assert_eq!(body.get("ref"), Some(&json!(false)));
    message.object_id = "999999999".to_owned();
    assert_eq!(source.fetch(&message).await.unwrap_err().code(), "gone");
    message.object_kind = "res.users".to_owned();
    assert_eq!(source.fetch(&message).await.unwrap_err().code(), "unsupported");
    Ok(())
}
