//! How a value crosses the border, and what is wrong with one that cannot.
//!
//! What crosses is named in [`bindings`](super::bindings), and how a text or a list
//! is handed over in [`loan`]: the benchmark puts others in their
//! places, to have the same records cross to plugins that are linked natively.
//!
//! To the guest little can go wrong: what this generation has no words for is noted in the
//! [`Room`], and the call is not made. From the guest everything is checked that
//! the type system of WIT cannot say: that a scale is in range, a date a date,
//! and JSON text JSON that can be read again wherever it is put.

use std::fmt;

use cambist_contract::{Decimal, Json, JsonObject, message::MessageId};
use jiff::{Timestamp, civil::Date};

use super::{
    bindings::cambist::plugin::types,
    depth,
    loan::{self, List, Text},
    room::Room,
};

/// The largest scale of a decimal, as `types.wit` says.
const MAX_SCALE: u8 = 18;

/// The largest number of units of a decimal, and with a minus the smallest, as
/// `types.wit` says: a float of 64 bits holds each of these exactly (2^53 - 1).
/// QuickJS hands numbers over as floats, and says nothing where one does not fit.
const MAX_UNITS: i64 = (1 << 53) - 1;

/// What is wrong with an answer, and where in it.
#[derive(Debug)]
pub(super) struct Wrong {
    path: String,
    rule: Rule,
}

/// What an answer breaks.
#[derive(Debug)]
enum Rule {
    /// What `wit/` says of a field.
    Field(&'static str),
    /// How deep JSON may go.
    Depth(u32),
    /// How many items lists may hold.
    Items(u32),
}

impl Wrong {
    pub(super) fn new(rule: &'static str) -> Self {
        Self {
            path: String::new(),
            rule: Rule::Field(rule),
        }
    }

    /// The limit that the answer passed, where it is one of the whole answer and
    /// of no field in it: its setting and its value.
    pub(super) fn limit(&self) -> Option<(&'static str, u64)> {
        match self.rule {
            Rule::Items(most) => Some(("items", u64::from(most))),
            Rule::Field(_) | Rule::Depth(_) => None,
        }
    }

    /// The same, one level further out. The path is in the contract's words, such as
    /// `changes[0].entity.contract.lines[2].unit-price`.
    pub(super) fn within(mut self, name: impl fmt::Display) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        let name = name.to_string().to_ascii_lowercase().replace('_', "-");
        self.path = format!("{name}{dot}{}", self.path);
        self
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Rule::Field(rule) => write!(f, "{} {rule}", self.path),
            Rule::Depth(most) => write!(f, "{} is nested deeper than {most} levels", self.path),
            Rule::Items(most) => write!(f, "{} is one list too many for {most} items", self.path),
        }
    }
}

/// How much one answer may hold, and what is left of it.
pub(super) struct Allowed {
    items: u32,
    left: u32,
    depth: u32,
}

impl Allowed {
    /// What a call's limits allow.
    pub(super) fn new(items: u32, depth: u32) -> Self {
        Self {
            items,
            left: items,
            depth,
        }
    }

    /// Takes in a list of so many items.
    fn list(&mut self, items: usize) -> Result<(), Wrong> {
        let left = u32::try_from(items)
            .ok()
            .and_then(|items| self.left.checked_sub(items));
        self.left = left.ok_or(Wrong {
            path: String::new(),
            rule: Rule::Items(self.items),
        })?;
        Ok(())
    }

    /// Takes in a JSON text.
    fn json(&self, text: &str) -> Result<(), Wrong> {
        if depth::fits(text, self.depth) {
            return Ok(());
        }
        Err(Wrong {
            path: String::new(),
            rule: Rule::Depth(self.depth),
        })
    }
}

/// A contract's value that a guest can be handed.
pub(super) trait ToWit {
    /// Its form in this generation, with texts borrowed where they stand.
    type Wit<'a>
    where
        Self: 'a;
    /// The form in this generation. What has to be written down first, such as a
    /// date or a list, is kept in `room` for as long as the call takes.
    fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a>;
}

/// A contract's value that a guest can answer.
pub(super) trait FromWit: Sized {
    /// Its form in this generation.
    type Wit;
    /// The contract's form, checked.
    fn from_wit(wit: Self::Wit, allowed: &mut Allowed) -> Result<Self, Wrong>;

    /// Checks what the type cannot say, by the field's name.
    fn checked(self, _field: &'static str) -> Result<Self, Wrong> {
        Ok(self)
    }
}

impl ToWit for bool {
    type Wit<'a> = bool;
    fn to_wit<'a>(&'a self, _: &'a Room) -> bool {
        *self
    }
}

impl FromWit for bool {
    type Wit = bool;
    fn from_wit(wit: bool, _: &mut Allowed) -> Result<Self, Wrong> {
        Ok(wit)
    }
}

impl ToWit for String {
    type Wit<'a> = Text<'a>;
    fn to_wit<'a>(&'a self, _: &'a Room) -> Text<'a> {
        loan::text(self)
    }
}

impl FromWit for String {
    type Wit = String;
    fn from_wit(wit: String, _: &mut Allowed) -> Result<Self, Wrong> {
        Ok(wit)
    }

    /// `currency` and `country` are what `types.wit` says wherever they occur.
    fn checked(self, field: &'static str) -> Result<Self, Wrong> {
        match field {
            "currency" if iso_currency::Currency::from_code(&self).is_none() => {
                Err(Wrong::new("is not an ISO 4217 code"))
            }
            "country" if self.len() != 2 || !self.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                Err(Wrong::new("is not an ISO 3166-1 code of two letters"))
            }
            _ => Ok(self),
        }
    }
}

/// Types that are text on the guest's side.
macro_rules! text {
    ($type:ty, $rule:literal) => {
        impl ToWit for $type {
            type Wit<'a> = Text<'a>;
            fn to_wit<'a>(&'a self, room: &'a Room) -> Text<'a> {
                loan::printed(room, self)
            }
        }
        impl FromWit for $type {
            type Wit = String;
            fn from_wit(wit: String, _: &mut Allowed) -> Result<Self, Wrong> {
                wit.parse().map_err(|_| Wrong::new($rule))
            }
        }
    };
}
text!(Date, "is not a date such as 2026-11-22");
text!(Timestamp, "is not a moment such as 2026-11-22T04:00:00Z");

impl ToWit for Json {
    type Wit<'a> = Text<'a>;
    fn to_wit<'a>(&'a self, _: &'a Room) -> Text<'a> {
        loan::text(self.as_str())
    }
}

impl FromWit for Json {
    type Wit = String;
    fn from_wit(wit: String, allowed: &mut Allowed) -> Result<Self, Wrong> {
        allowed.json(&wit)?;
        Json::parse(wit).map_err(|_| Wrong::new("is not JSON"))
    }
}

impl ToWit for MessageId {
    type Wit<'a> = Text<'a>;
    fn to_wit<'a>(&'a self, _: &'a Room) -> Text<'a> {
        loan::text(self.as_str())
    }
}

impl FromWit for JsonObject {
    type Wit = String;
    fn from_wit(wit: String, allowed: &mut Allowed) -> Result<Self, Wrong> {
        allowed.json(&wit)?;
        JsonObject::parse(wit).map_err(|_| Wrong::new("is not a JSON object"))
    }
}

impl ToWit for Decimal {
    type Wit<'a> = types::Decimal;
    fn to_wit<'a>(&'a self, room: &'a Room) -> types::Decimal {
        // as many zeros behind the point as there is no room for
        let number = if fits(self) { *self } else { self.normalize() };
        if !fits(&number) {
            room.cannot_say("a number has more than 15 digits");
        }
        types::Decimal {
            units: i64::try_from(number.mantissa()).unwrap_or(MAX_UNITS),
            scale: u8::try_from(number.scale()).unwrap_or(MAX_SCALE),
        }
    }
}

/// Whether a decimal is one of the contract's.
fn fits(number: &Decimal) -> bool {
    number.scale() <= u32::from(MAX_SCALE) && number.mantissa().unsigned_abs() <= MAX_UNITS as u128
}

impl FromWit for Decimal {
    type Wit = types::Decimal;
    fn from_wit(wit: types::Decimal, _: &mut Allowed) -> Result<Self, Wrong> {
        if wit.scale > MAX_SCALE {
            return Err(Wrong::new("has a scale above 18"));
        }
        if wit.units.unsigned_abs() > MAX_UNITS.unsigned_abs() {
            return Err(Wrong::new("has more digits than 9007199254740991"));
        }
        Decimal::try_from_i128_with_scale(i128::from(wit.units), u32::from(wit.scale))
            .map_err(|_| Wrong::new("is out of range"))
    }
}

impl<T: ToWit> ToWit for Option<T> {
    type Wit<'a>
        = Option<T::Wit<'a>>
    where
        T: 'a;
    fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a> {
        self.as_ref().map(|value| value.to_wit(room))
    }
}

impl<T: FromWit> FromWit for Option<T> {
    type Wit = Option<T::Wit>;
    fn from_wit(wit: Self::Wit, allowed: &mut Allowed) -> Result<Self, Wrong> {
        wit.map(|value| T::from_wit(value, allowed)).transpose()
    }

    fn checked(self, field: &'static str) -> Result<Self, Wrong> {
        self.map(|value| value.checked(field)).transpose()
    }
}

impl<T: ToWit> ToWit for Vec<T> {
    type Wit<'a>
        = List<'a, T::Wit<'a>>
    where
        T: 'a;
    fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a> {
        loan::list(room, self.iter().map(|item| item.to_wit(room)))
    }
}

impl<T: FromWit> FromWit for Vec<T> {
    type Wit = Vec<T::Wit>;
    fn from_wit(wit: Self::Wit, allowed: &mut Allowed) -> Result<Self, Wrong> {
        allowed.list(wit.len())?;
        let items = wit.into_iter().enumerate();
        items
            .map(|(at, item)| {
                T::from_wit(item, allowed).map_err(|wrong| wrong.within(format_args!("[{at}]")))
            })
            .collect()
    }
}

/// A record with the same fields on both sides; only `ref`, a keyword in Rust,
/// is called `entity` by the host. `to` the guest, `from` the guest, or both ways.
macro_rules! record {
    (to $native:path = $($wit:ident)::+ { $([entity as $name:ident])? $($field:ident),* $(,)? }) => {
        impl ToWit for $native {
            type Wit<'a> = $($wit)::+<'a>;
            fn to_wit<'a>(&'a self, room: &'a Room) -> Self::Wit<'a> {
                $($wit)::+ {
                    $($name: self.entity.to_wit(room),)?
                    $($field: self.$field.to_wit(room),)*
                }
            }
        }
    };
    (from $native:path = $wit:path { $([entity as $name:ident])? $($field:ident),* $(,)? } $(checked by $check:ident)?) => {
        impl FromWit for $native {
            type Wit = $wit;
            fn from_wit(wit: $wit, allowed: &mut Allowed) -> Result<Self, Wrong> {
                let value = Self {
                    $(entity: FromWit::from_wit(wit.$name, allowed).map_err(|wrong| wrong.within("ref"))?,)?
                    $($field: FromWit::from_wit(wit.$field, allowed)
                        .and_then(|value| FromWit::checked(value, stringify!($field)))
                        .map_err(|wrong| wrong.within(stringify!($field)))?,)*
                };
                $($check(&value)?;)?
                Ok(value)
            }
        }
    };
    ($native:path = $($to:ident)::+ | $($from:ident)::+ { $($body:tt)+ }) => {
        record!(to $native = $($to)::+ { $($body)+ });
        record!(from $native = $($from)::+ { $($body)+ });
    };
}
pub(super) use record;

/// An enumeration with the same cases on both sides.
macro_rules! plain {
    ($native:path = $wit:path { $($case:ident),+ $(,)? }) => {
        impl ToWit for $native {
            type Wit<'a> = $wit;
            fn to_wit<'a>(&'a self, _: &'a Room) -> $wit {
                use $native as Native;
                use $wit as Wit;
                match self { $(Native::$case => Wit::$case),+ }
            }
        }
        impl FromWit for $native {
            type Wit = $wit;
            fn from_wit(wit: $wit, _: &mut Allowed) -> Result<Self, Wrong> {
                use $wit as Wit;
                Ok(match wit { $(Wit::$case => Self::$case),+ })
            }
        }
    };
}
pub(super) use plain;
