//! What systems were last heard to say.

use cambist_contract::{canonical::EntityRef, message::MessageId};
use rusqlite::Connection;

use super::{
    column::{Blob, entity_key},
    trouble::Trouble,
};
use crate::heard::{Fields, Said};

/// What a system says of some entities.
pub(super) struct Hearing {
    pub(super) system: String,
    pub(super) says: Vec<(EntityRef, Fields)>,
}

/// Keeps it.
pub(super) fn keep(connection: &Connection, hearing: &Hearing) -> Result<(), Trouble> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO heard (entity, system, field, digest, message) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (entity, system, field) DO UPDATE SET digest = excluded.digest, message = excluded.message",
    )?;
    for (entity, fields) in &hearing.says {
        for (field, said) in fields {
            let values = (
                entity_key(entity),
                &hearing.system,
                field,
                Blob(said.digest),
                said.message.as_str(),
            );
            statement.execute(values)?;
        }
    }
    Ok(())
}

/// What a system last said of an entity.
pub(super) fn of(connection: &Connection, system: &str, entity: &EntityRef) -> Result<Fields, Trouble> {
    let mut statement = connection
        .prepare_cached("SELECT field, digest, message FROM heard WHERE entity = ?1 AND system = ?2")?;
    let fields = statement.query_map((entity_key(entity), system), |row| {
        let said = Said {
            digest: row.get::<_, Blob>(1)?.0,
            message: MessageId::from_text(row.get::<_, String>(2)?),
        };
        Ok((row.get(0)?, said))
    })?;
    Ok(fields.collect::<Result<_, _>>()?)
}
