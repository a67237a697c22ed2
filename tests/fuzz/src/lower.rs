//! From the type of an answer and some bytes to an answer as it lies in a guest's
//! memory, by the canonical ABI of the component model.
//!
//! The type is read from `wit/`, so whatever the contract lets a guest return is tried.

use anyhow::{Result, bail};
use arbitrary::Unstructured;
use wit_parser::{Int, Resolve, SizeAlign, Type, TypeDefKind};

/// Texts that mean something somewhere.
const TEXTS: [&str; 12] = [
    "",
    "EUR",
    "DE",
    "2026-11-22",
    "2026-11-22T04:00:00Z",
    "{}",
    "[]",
    "{\"a\":[1,2.5e300,\"\\u0000\"]}",
    "9999-12-31",
    "-009999-01-01T00:00:00Z",
    "\u{0}\u{feff}\u{202e}",
    "99999999999999999999999999999999.1",
];

/// An answer in the memory of a guest.
pub struct Image<'a> {
    resolve: &'a Resolve,
    sizes: SizeAlign,
    /// Where the first byte lies.
    base: u32,
    bytes: Vec<u8>,
}

impl<'a> Image<'a> {
    /// An answer of a type that begins at `base`, made of what `from` says.
    ///
    /// # Errors
    ///
    /// The contract has a type that no answer has had so far.
    pub fn of(resolve: &'a Resolve, ty: &Type, base: u32, from: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut sizes = SizeAlign::default();
        sizes.fill(resolve);
        let bytes = vec![0; sizes.size(ty).size_wasm32()];
        let mut image = Self {
            resolve,
            sizes,
            base,
            bytes,
        };
        image.value(ty, 0, from)?;
        Ok(image.bytes)
    }

    fn value(&mut self, ty: &Type, at: usize, from: &mut Unstructured<'_>) -> Result<()> {
        match ty {
            Type::Bool => self.write(at, &[u8::from(from.arbitrary::<bool>()?)]),
            Type::U8 | Type::S8 => {
                // mostly a scale that may be
                let number = if from.ratio(1, 8)? {
                    from.arbitrary()?
                } else {
                    from.int_in_range(0..=4)?
                };
                self.write(at, &[number]);
            }
            Type::U16 | Type::S16 => self.write(at, &from.arbitrary::<u16>()?.to_le_bytes()),
            Type::U32 | Type::S32 | Type::F32 => self.write(at, &from.arbitrary::<u32>()?.to_le_bytes()),
            Type::U64 | Type::S64 | Type::F64 => self.write(at, &from.arbitrary::<u64>()?.to_le_bytes()),
            Type::Char => self.write(at, &u32::from(from.arbitrary::<char>()?).to_le_bytes()),
            Type::String => self.text(None, at, from)?,
            Type::ErrorContext => bail!("an error context in an answer"),
            Type::Id(id) => {
                let resolve = self.resolve;
                let Some(known) = resolve.types.get(*id) else {
                    bail!("a type that is nowhere");
                };
                match &known.kind {
                    // what a text means is the name of its type
                    TypeDefKind::Type(Type::String) => self.text(known.name.as_deref(), at, from)?,
                    TypeDefKind::Type(ty) => self.value(ty, at, from)?,
                    TypeDefKind::Record(record) => {
                        let types: Vec<&Type> = record.fields.iter().map(|field| &field.ty).collect();
                        self.fields(&types, at, from)?;
                    }
                    TypeDefKind::Tuple(tuple) => {
                        let types: Vec<&Type> = tuple.types.iter().collect();
                        self.fields(&types, at, from)?;
                    }
                    TypeDefKind::Enum(cases) => {
                        let case = from.choose_index(cases.cases.len())?;
                        self.write(at, &[u8::try_from(case)?]);
                    }
                    TypeDefKind::Variant(variant) => {
                        let types: Vec<Option<&Type>> =
                            variant.cases.iter().map(|case| case.ty.as_ref()).collect();
                        self.case(&types, at, from)?;
                    }
                    TypeDefKind::Option(some) => self.case(&[None, Some(some)], at, from)?,
                    TypeDefKind::Result(result) => {
                        self.case(&[result.ok.as_ref(), result.err.as_ref()], at, from)?;
                    }
                    TypeDefKind::List(item) => self.list(item, at, from)?,
                    other => bail!("an answer holds {other:?}, and lower.rs does not know how"),
                }
            }
        }
        Ok(())
    }

    fn fields(&mut self, types: &[&Type], at: usize, from: &mut Unstructured<'_>) -> Result<()> {
        let offsets = self.sizes.field_offsets(types.iter().copied());
        let offsets: Vec<usize> = offsets.iter().map(|(offset, _)| offset.size_wasm32()).collect();
        for (ty, offset) in types.iter().zip(offsets) {
            self.value(ty, at + offset, from)?;
        }
        Ok(())
    }

    fn case(&mut self, types: &[Option<&Type>], at: usize, from: &mut Unstructured<'_>) -> Result<()> {
        let case = from.choose_index(types.len())?;
        self.write(at, &[u8::try_from(case)?]);
        let payload = self
            .sizes
            .payload_offset(Int::U8, types.iter().copied())
            .size_wasm32();
        match types.get(case) {
            Some(Some(ty)) => self.value(ty, at + payload, from),
            _ => Ok(()),
        }
    }

    fn list(&mut self, item: &Type, at: usize, from: &mut Unstructured<'_>) -> Result<()> {
        let items = if from.is_empty() {
            0
        } else {
            from.int_in_range(0..=3)?
        };
        let size = self.sizes.size(item).size_wasm32();
        let start = self.room(self.sizes.align(item).align_wasm32(), size * items);
        self.pointer(at, start, items)?;
        for number in 0..items {
            self.value(item, start + number * size, from)?;
        }
        Ok(())
    }

    fn text(&mut self, meaning: Option<&str>, at: usize, from: &mut Unstructured<'_>) -> Result<()> {
        let right = match meaning {
            Some("currency") => Some("EUR"),
            Some("country") => Some("DE"),
            Some("date") => Some("2026-11-22"),
            Some("timestamp") => Some("2026-11-22T04:00:00Z"),
            Some("json") => Some("{\"a\":1}"),
            _ => None,
        };
        // what has a meaning is mostly right, or no answer would ever be taken in
        let text = match right {
            Some(right) if from.is_empty() || !from.ratio(1, 16)? => right.to_owned(),
            _ => match from.int_in_range(0..=2)? {
                0 => from.arbitrary::<String>()?,
                1 => "[".repeat(from.int_in_range(0..=200)?),
                _ => (*from.choose(&TEXTS)?).to_owned(),
            },
        };
        let start = self.room(1, text.len());
        self.pointer(at, start, text.len())?;
        self.write(start, text.as_bytes());
        Ok(())
    }

    /// Makes room behind what is there.
    fn room(&mut self, align: usize, size: usize) -> usize {
        let start = self.bytes.len().next_multiple_of(align.max(1));
        self.bytes.resize(start + size, 0);
        start
    }

    fn pointer(&mut self, at: usize, start: usize, length: usize) -> Result<()> {
        self.write(at, &(self.base + u32::try_from(start)?).to_le_bytes());
        self.write(at + 4, &u32::try_from(length)?.to_le_bytes());
        Ok(())
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.bytes.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}
