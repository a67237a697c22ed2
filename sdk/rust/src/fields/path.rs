//! Where a field stands, as faults call it: `deal.properties.amount`.

use std::fmt;

use super::Fields;

/// The path of a field. Turns into a text where a fault needs one.
///
/// It is found anew by going down the document, so that reading a field that is
/// there never builds a path.
#[derive(Clone, Copy)]
pub struct Path<'f> {
    pub(super) of: &'f Fields<'f>,
    pub(super) name: &'f str,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        let document = &self.of.document;
        match &self.of.missing {
            Some(path) => {
                f.write_str(path)?;
                dot = ".";
            }
            None => {
                f.write_str(&document.name)?;
                if !document.name.is_empty() {
                    dot = ".";
                }
                let mut around = 0;
                // each turn goes one level down to where the object is
                while around != self.of.at {
                    let tape = &document.tape;
                    let in_list = tape.value(around).starts_with('[');
                    let parts = tape.parts(around).enumerate();
                    let Some((index, at)) = parts.take_while(|(_, at)| *at <= self.of.at).last() else {
                        break;
                    };
                    if in_list {
                        write!(f, "[{index}]")?;
                    } else {
                        write!(f, "{dot}{}", tape.name(at))?;
                    }
                    dot = ".";
                    around = at;
                }
            }
        }
        match self.name {
            "" => Ok(()),
            name => write!(f, "{dot}{name}"),
        }
    }
}

impl fmt::Debug for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Path<'_>> for String {
    fn from(path: Path<'_>) -> Self {
        path.to_string()
    }
}
