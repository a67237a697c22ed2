//! HubSpot, by its date-versioned CRM API, 2026-03.
//!
//! # What is read
//!
//! A HubSpot event has an id and one property. What a plugin needs is read again, as it is now:
//!
//! | call | from |
//! |---|---|
//! | `GET /crm/objects/2026-03/0-3/{dealId}?properties=…&associations=companies,contacts,line_items` | published specification "Deals" 2026-03 |
//! | `POST /crm/objects/2026-03/{companies,contacts,line_items}/batch/read`, up to 100 ids | published specifications "Companies", "Contacts", "Line Items" 2026-03 |
//! | `POST /crm/objects/2026-03/deals/search`, 200 a page, by `hs_is_closed_won`, `closedate` and `hs_object_id` | the same; guide "Search the CRM": filters, sorts, 10 000 results in all, what changed is found some moments later |
//!
//! Assumed, because no specification says it: at most 100 ids a batch; ids compared as numbers by `GT` and in a sort; the
//! associations of line items under `line items` with a space (both spellings are read); 404 for a deal that is gone; for a batch that names an object that is gone 207 with the
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
//! # What is written
//!
//! The model of a record is a kind of object (`companies`, `2-123456`), its values are properties: text as it is, numbers and
//! booleans as their text, `null` as the empty text that empties a property.
//!
//! | for | call, up to 100 objects | from |
//! |---|---|---|
//! | upsert, by HubSpot's own id | `POST /crm/objects/2026-03/{kind}/batch/update` | published specification "Objects" 2026-03 |
//! | upsert, by an external id | `…/batch/upsert` with `idProperty` | the same |
//! | ensure | `…/batch/read`, by id or `idProperty`, then `upsert` for what is not there | the same |
//! | remove | `…/batch/read`, then `…/batch/archive` for what is there | the same |
//! | a row that failed among others | 207, `errors`, `context.objectWriteTraceId` | guide "Error handling", which says it of `batch/create` |
//! | act | nothing: HubSpot knows no actions, and the plan is refused | |
//!
//! An external id is the value of a property that the portal has for it, `unique-property` of the system's options. It must have
//! been made there as a property with unique values, for each kind of object that is written by external ids.
//!
//! Every write is safe to repeat: the same object gets the same values, and HubSpot keeps a unique value from being there twice.
//!
//! Assumed, because no document says it: a batch that is refused as a whole (400, 404, 409) has written nothing; the two batch
//! writes answer 207 as `batch/create` does where rows have an `objectWriteTraceId`, or refuse the batch, and both are taken;
//! results have the `objectWriteTraceId` of their input, or else the unique property; 404 or 207 with `OBJECT_NOT_FOUND` for an
//! own id that is gone; unique values are compared as they are written; an archived object is not found by its unique value and
//! a new one is made; `CONFLICT` may come of a race of two writers, so that such a row is sent once more before it is taken for
//! refused. A row that an answer does not speak of at all is sent again by itself.
//!
//! # Where to start reading
//!
//! [`mod@source`] for what is read, [`mod@target`] and `write.rs` for what is written, `client.rs` for what HubSpot's answers
//! mean, `batch.rs` and `written.rs` for what is in a batch's.

mod archive;
mod batch;
mod check;
pub(crate) mod client;
pub mod deals;
mod find;
mod merge;
mod neighbours;
mod properties;
mod receipts;
mod said;
pub mod source;
pub mod target;
mod values;
mod write;
mod written;

pub use deals::HubSpotDeals;
pub use source::HubSpotSource;
pub use target::HubSpotTarget;

pub(crate) use client::HubSpotClient;
