//! HubSpot, by its date-versioned CRM API, 2026-03: read only.
//!
//! A HubSpot event has an id and one property. What a plugin needs is read again, as it is now:
//!
//! | call | from |
//! |---|---|
//! | `GET /crm/objects/2026-03/0-3/{dealId}?properties=…&associations=companies,contacts,line_items` | published specification "Deals" 2026-03 |
//! | `POST /crm/objects/2026-03/{companies,contacts,line_items}/batch/read`, up to 100 ids | published specifications "Companies", "Contacts", "Line Items" 2026-03 |
//!
//! Assumed, because no specification says it: at most 100 ids a batch; the associations of line items under `line items` with a
//! space (both spellings are read); 404 for a deal that is gone; for a batch that names an object that is gone 207 with the
//! rest, and an error of category `OBJECT_NOT_FOUND` with the `ids` in its `context`; `paging.next` behind associations that
//! are not all listed. A batch that leaves anything out in another way is tried again, a deal with more associations than are
//! listed waits for a person: an order must not lack lines because a list was cut.
//! `associatedcompanyid` is taken for a standard property of contacts, with the id of the primary company.
//!
//! # The body
//!
//! One JSON object, each object in it as HubSpot's API answers (`id`, `properties`, `createdAt`, `updatedAt`, `archived`; all
//! property values are text or null):
//!
//! ```json
//! {"deal": {"id": "9001", "properties": {"amount": "1200.00"}, "updatedAt": "2026-11-20T09:00:00Z",
//!           "associations": {"companies": {"results": [{"id": "501", "type": "deal_to_company"}]}}},
//!  "companies": [{"id": "501", "properties": {"name": "Muster GmbH"}}],
//!  "contacts": [],
//!  "line_items": [{"id": "801", "properties": {"quantity": "3"}}]}
//! ```
//!
//! - Companies, contacts and line items stand in the order of HubSpot's associations, but the primary company first; one that
//!   is gone is left out. Of the deal's associations those with companies are kept, because their types say which one is the
//!   primary company: `deal_to_company`. Each also has `deal_to_company_unlabeled`, and the portal's own labels.
//! - An event about a company or a contact has `null` for the deal and that one object in its list; a contact comes with its
//!   primary company, where it has one.
//! - After a deletion there is nothing to read: the object is `{"id": …, "properties": {}, "archived": true}`.
//!
//! # Where to start reading
//!
//! [`mod@source`] for what is read, `client.rs` for what HubSpot's answers mean, `batch.rs` for what is in a batch's.

mod batch;
pub(crate) mod client;
mod properties;
pub mod source;

pub use source::HubSpotSource;
