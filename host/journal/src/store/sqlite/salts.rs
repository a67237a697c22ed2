//! What a message's texts are digested with, so that what is erased cannot be guessed.
//!
//! A digest alone would tell whoever guesses a name and a number right that they are. With
//! 32 random bytes that go when the text goes, it tells nothing.

use cambist_contract::digest::Digest;
use rusqlite::{Connection, OptionalExtension as _};

use super::{column::Count, trouble::Trouble};

/// What nobody can guess.
pub(super) type Salt = [u8; 32];

/// A new one.
pub(super) fn make() -> Result<Salt, getrandom::Error> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map(|()| salt)
}

/// The digest that stands in the chain for a text of this digest.
pub(super) fn sealed(text: Digest, salt: Option<&Salt>) -> Digest {
    salt.map_or(text, |salt| Digest::of_parts(&[salt, text.as_bytes()]))
}

/// The salt of a message; none if it came before there were any, or is erased.
pub(super) fn of(connection: &Connection, arrival: u64) -> Result<Option<Salt>, Trouble> {
    Ok(connection
        .prepare_cached("SELECT salt FROM salts WHERE arrival = ?1")?
        .query_row([Count(arrival)], |row| row.get(0))
        .optional()?)
}

/// Keeps the salt of a message that has just arrived.
pub(super) fn keep(connection: &Connection, arrival: u64, salt: &Salt) -> Result<(), Trouble> {
    connection
        .prepare_cached("INSERT INTO salts (arrival, salt) VALUES (?1, ?2)")?
        .execute((Count(arrival), salt))?;
    Ok(())
}

/// Forgets the salt of a message that is erased.
pub(super) fn forget(connection: &Connection, arrival: u64) -> Result<(), Trouble> {
    connection
        .prepare_cached("DELETE FROM salts WHERE arrival = ?1")?
        .execute([Count(arrival)])?;
    Ok(())
}
