//! How our types stand in columns.

use std::str::FromStr;

use cambist_contract::{canonical::EntityRef, digest::Digest};
use jiff::Timestamp;
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef},
};

/// A digest: a blob of 32 bytes.
pub(super) struct Blob(pub(super) Digest);

/// What has a text form, kept as that text.
pub(super) struct Text<T>(pub(super) T);

/// A count or a place. SQLite's integers are signed; at a million entries a
/// second they last three hundred thousand years.
pub(super) struct Count(pub(super) u64);

impl FromSql for Blob {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(|bytes| Self(Digest::from(bytes)))
    }
}

impl ToSql for Blob {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.as_bytes().as_slice()))
    }
}

impl<T: FromStr> FromSql for Text<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value
            .as_str()?
            .parse()
            .map(Self)
            .map_err(|_| FromSqlError::InvalidType)
    }
}

impl<T: ToString> ToSql for Text<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_string()))
    }
}

impl FromSql for Count {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        u64::try_from(number)
            .map(Self)
            .map_err(|_| FromSqlError::OutOfRange(number))
    }
}

impl ToSql for Count {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(clamped(self.0)))
    }
}

/// The number, or the largest that SQLite has.
pub(super) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A time as a number that an index can order: nanoseconds since 1970. Times
/// before 1677 and after 2262 stand at the ends; the exact one is kept as text.
pub(super) fn nanoseconds(at: Timestamp) -> i64 {
    let exact = at.as_nanosecond();
    i64::try_from(exact).unwrap_or(if exact < 0 { i64::MIN } else { i64::MAX })
}

/// An entity as one text that no other entity has.
pub(super) fn entity_key(entity: &EntityRef) -> String {
    serde_json::json!([entity.kind.name(), entity.system, entity.id]).to_string()
}

/// The entity that has this text.
pub(super) fn entity_of_key(text: &str) -> Option<EntityRef> {
    let (kind, system, id) = serde_json::from_str(text).ok()?;
    Some(EntityRef { kind, system, id })
}

#[cfg(test)]
mod tests {
    use cambist_contract::canonical::EntityKind;

    use super::*;

    #[test]
    fn times_keep_their_order_to_the_nanosecond_and_at_the_ends() {
        let times = [
            Timestamp::MIN,
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_nanos(1),
            Timestamp::MAX,
        ];

        let numbers = times.map(nanoseconds);
        assert_eq!(numbers, [i64::MIN, 0, 1, i64::MAX]);
    }

    #[test]
    fn entities_do_not_run_into_each_other() {
        let entity = |system: &str, id: &str| {
            entity_key(&EntityRef {
                kind: EntityKind::Account,
                system: system.into(),
                id: id.into(),
            })
        };

        assert_eq!(entity("crm", "1"), r#"["account","crm","1"]"#);
        let named = entity_of_key(&entity("crm", "1"));
        assert_eq!(named.map(|named| entity_key(&named)), Some(entity("crm", "1")));
        assert_ne!(entity(r#"a","b"#, "c"), entity("a", r#"b","c"#));
    }
}
