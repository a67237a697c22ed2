//! Deals as the HubSpot double holds them.

use serde_json::{Value, json};

/// A won deal with its company, contact and line items. The ids of all of them
/// follow from the deal's, or those of the customer from another deal's.
#[derive(Clone, Debug)]
pub struct Deal {
    /// The deal's id.
    pub id: u64,
    /// Properties of the deal.
    pub deal: Value,
    /// The deal whose company and contact it has.
    pub customer_of: u64,
    /// Properties of the company.
    pub company: Value,
    /// Properties of each line item.
    pub lines: Vec<Value>,
}

impl Deal {
    /// A German customer of the German region: 10 h at 120.50 and a workshop at
    /// 845.00, 19 % VAT.
    pub fn german(id: u64) -> Self {
        Self {
            id,
            deal: json!({
                "dealname": format!("Rollout {id}"), "amount": "2050.00", "deal_currency_code": "EUR",
                "dealstage": "closedwon", "closedate": "2026-11-20T15:00:00Z", "region": "de",
                "contract_terms": "msa-2026", "delivery_owner_email": "delivery@example.com",
            }),
            customer_of: id,
            company: json!({
                "name": format!("Kunde {id}"), "legal_name": format!("Kunde {id} GmbH"), "vat_id": "DE136695976",
                "vat_id_confirmed_on": "2026-11-01", "address": "Kundenweg 5", "zip": "10115", "city": "Berlin",
                "country": "Germany",
            }),
            lines: vec![
                json!({"name": "Implementation", "quantity": "10", "price": "120.50", "hs_sku": "IMPL"}),
                json!({"name": "Workshop", "quantity": "1", "price": "845.00", "hs_sku": "WORK"}),
            ],
        }
    }

    /// A French customer with a VAT id: reverse charge.
    pub fn french(id: u64) -> Self {
        Self::german(id).customer("France", "FR23334175221", json!({"city": "Lyon", "zip": "69001"}))
    }

    /// A customer in the United States: outside the scope of VAT.
    pub fn american(id: u64) -> Self {
        let place = json!({"vat_id": null, "state": "IL", "city": "Springfield", "zip": "62701"});
        Self::german(id).customer("United States", "", place)
    }

    /// An Indian customer of the Indian region: in Gujarat, where the supplier is.
    pub fn gujarati(id: u64) -> Self {
        let place = json!({"state": "Gujarat", "city": "Surat", "zip": "395003"});
        Self::german(id)
            .with(json!({"region": "in", "deal_currency_code": "INR"}))
            .customer("India", "24AAPFU0939F1Z1", place)
    }

    /// An Indian customer in another state than the supplier's.
    pub fn maharashtrian(id: u64) -> Self {
        let place = json!({"state": "Maharashtra", "city": "Pune", "zip": "411001"});
        Self::gujarati(id).customer("India", "27AAPFU0939F1ZV", place)
    }

    /// Sets properties of the deal.
    #[must_use]
    pub fn with(mut self, properties: Value) -> Self {
        set(&mut self.deal, properties);
        self
    }

    /// Sets who the customer is and where.
    #[must_use]
    pub fn customer(mut self, country: &str, tax_id: &str, properties: Value) -> Self {
        set(&mut self.company, json!({"country": country, "vat_id": tax_id}));
        set(&mut self.company, properties);
        self
    }

    /// Has another deal's company and contact.
    #[must_use]
    pub fn customer_of(mut self, other: &Self) -> Self {
        self.customer_of = other.customer_of;
        self.company = other.company.clone();
        self
    }

    /// Has these line items and no others.
    #[must_use]
    pub fn lines(mut self, lines: Vec<Value>) -> Self {
        self.lines = lines;
        self
    }

    /// The object's name in the journal.
    pub fn object(&self) -> String {
        format!("deal/{}", self.id)
    }

    /// The deal's objects, as kind, id and object.
    pub fn objects(&self) -> Vec<(&'static str, String, Value)> {
        let (company, contact) = (self.company_id(), self.contact_id());
        let ids: Vec<String> = (0..self.lines.len()).map(|at| self.line_id(at)).collect();
        let deal = json!({
            "properties": self.deal,
            "associations": {"companies": [company], "contacts": [contact], "line_items": ids},
        });
        let person = json!({"firstname": "Eva", "lastname": format!("Beispiel {}", self.customer_of),
            "email": format!("eva.{}@example.com", self.customer_of), "associatedcompanyid": company});
        let mut objects = vec![
            ("deals", self.id.to_string(), deal),
            ("companies", company, json!({"properties": self.company})),
            ("contacts", contact, json!({"properties": person})),
        ];
        let lines = ids.into_iter().zip(&self.lines);
        objects.extend(lines.map(|(id, line)| ("line_items", id, json!({"properties": line}))));
        objects
    }

    /// The id of its company.
    pub fn company_id(&self) -> String {
        format!("5{}", self.customer_of)
    }

    /// The id of its contact.
    pub fn contact_id(&self) -> String {
        format!("3{}", self.customer_of)
    }

    /// The id of a line item.
    pub fn line_id(&self, at: usize) -> String {
        format!("7{}{at}", self.id)
    }
}

fn set(object: &mut Value, properties: Value) {
    if let (Some(object), Value::Object(properties)) = (object.as_object_mut(), properties) {
        object.extend(properties);
    }
}
