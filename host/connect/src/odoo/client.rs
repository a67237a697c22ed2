//! One call of JSON-2, in the company and the language of the system.

use std::{num::NonZeroU32, time::Duration};

use cambist_contract::secret::Secret;
use reqwest::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    answer::{self, Fault},
    check,
};
use crate::{
    ConnectError,
    error::Again,
    http::{self, Call, Http},
    line::Line,
};

/// The key of the context that says in which companies a call works.
const COMPANIES: &str = "allowed_company_ids";

/// What a call is about, for the error's text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    /// The kind of record.
    pub model: &'a str,
    /// Our id of the record; empty where it is about no single one.
    pub external_id: &'a str,
}

/// How long a call may take, and what a lost answer means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// Changes nothing.
    Read,
    /// Changes something, and the same again does no harm.
    Write,
    /// Changes something, and must not be done twice.
    Act,
}

/// A connection to one database, as one user in one company.
#[derive(Clone)]
pub(crate) struct OdooClient {
    http: Http,
    context: Map<String, Value>,
    company: Option<NonZeroU32>,
    read_time: Duration,
    write_time: Duration,
}

/// What a client is made of, beside address and key.
pub(crate) struct Settings<'a> {
    pub database: &'a str,
    pub company: Option<NonZeroU32>,
    pub language: &'a str,
    pub read_time: Duration,
    pub write_time: Duration,
}

impl OdooClient {
    /// A client for one database.
    ///
    /// # Errors
    ///
    /// Key or database's name have characters that no header can carry.
    pub(crate) fn new(
        client: http::Client,
        system: &str,
        address: Url,
        key: &Secret,
        settings: &Settings<'_>,
        line: Line,
    ) -> Result<Self, InvalidHeaderValue> {
        let mut authorization = HeaderValue::from_str(&format!("bearer {}", key.expose()))?;
        authorization.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, authorization);
        let database = HeaderValue::from_str(settings.database)?;
        headers.insert(HeaderName::from_static("x-odoo-database"), database);
        let mut context = object(json!({
            "lang": settings.language,
            "tz": "UTC",
            // no mail to followers, no entry in the record's chat for each changed field
            "tracking_disable": true,
            "mail_create_nosubscribe": true,
            "mail_notrack": true,
        }));
        if let Some(company) = settings.company {
            context.insert(COMPANIES.to_owned(), json!([company]));
        }
        Ok(Self {
            http: Http::new(client, system, address, headers, line),
            context,
            company: settings.company,
            read_time: settings.read_time,
            write_time: settings.write_time,
        })
    }

    /// The system's name.
    pub(crate) fn system(&self) -> &str {
        self.http.system()
    }

    /// How long a write may take.
    pub(crate) fn write_time(&self) -> Duration {
        self.write_time
    }

    /// Calls a method and gives what it answers. Whatever context the arguments have, language and company are the config's.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is a [`Fault`], which the caller may know more about: hence the two layers.
    pub(crate) async fn call(
        &self,
        model: &str,
        method: &str,
        arguments: Map<String, Value>,
        kind: Kind,
    ) -> Result<Result<Value, Fault>, ConnectError> {
        if let Err(fault) = check::model(model).and_then(|()| check::method(method)) {
            return Ok(Err(fault));
        }
        let mut body = arguments;
        let context = body.entry("context").or_insert_with(|| json!({}));
        let Some(context) = context.as_object_mut() else {
            let text = "the `context` of its arguments is no JSON object; leave it out, or make it one";
            return Ok(Err(Fault::Misfit(text.to_owned())));
        };
        // without a company of the config's it is the user's own
        context.shift_remove(COMPANIES);
        context.extend(self.context.clone());
        let answer = self
            .http
            .send(Call {
                method: Method::POST,
                path: &format!("json/2/{model}/{method}"),
                query: &[],
                body: Some(&Value::Object(body)),
                time: if kind == Kind::Read {
                    self.read_time
                } else {
                    self.write_time
                },
                again: self.again(kind),
            })
            .await?;
        Ok(answer::read(&answer))
    }

    /// The same, with every fault made an error.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is a fault.
    pub(crate) async fn value(
        &self,
        about: About<'_>,
        method: &str,
        arguments: Map<String, Value>,
        kind: Kind,
    ) -> Result<Value, ConnectError> {
        let answer = self.call(about.model, method, arguments, kind).await?;
        answer.map_err(|fault| self.error(fault, about, kind))
    }

    /// What the same call again would do. A call is given `write_time`, and Odoo goes on with it when we have gone.
    fn again(&self, kind: Kind) -> Again {
        match kind {
            Kind::Read | Kind::Write => Again::Harmless,
            Kind::Act => Again::Twice {
                at_work: self.write_time,
            },
        }
    }

    /// Makes a fault an error that names what it is about.
    pub(crate) fn error(&self, fault: Fault, about: About<'_>, kind: Kind) -> ConnectError {
        let system = self.system().to_owned();
        let model = about.model.to_owned();
        let external_id = about.external_id.to_owned();
        let again = self.again(kind);
        match fault {
            Fault::Contended => ConnectError::Contended { system, model },
            Fault::Busy(wait) => ConnectError::Busy { system, wait },
            Fault::Troubled(what) => ConnectError::Troubled { system, what, again },
            Fault::TakenBack(what) => ConnectError::Troubled {
                system,
                what,
                again: Again::Harmless,
            },
            Fault::Strange(what) => ConnectError::Strange { system, what, again },
            Fault::KeyRefused => ConnectError::KeyRefused { system },
            Fault::NoDatabase => ConnectError::NoDatabase { system },
            Fault::NotAllowed(reason) => ConnectError::NotAllowed { system, reason },
            // Odoo's words say which record it is: often one that ours refers to
            Fault::Gone(reason) if !reason.is_empty() => ConnectError::Gone {
                system,
                what: format!("something that {model} `{external_id}` needs ({reason})"),
            },
            Fault::Gone(_) | Fault::UnknownId => ConnectError::Gone {
                system,
                what: format!("{model} `{external_id}`"),
            },
            Fault::Refused(reason) => ConnectError::Refused {
                system,
                model,
                external_id,
                field: None,
                reason,
            },
            Fault::Misfit(reason) => ConnectError::Misfit {
                system,
                model,
                reason,
            },
        }
    }

    /// Whether key, database and company are right, by one call.
    ///
    /// # Errors
    ///
    /// What is the matter.
    pub(crate) async fn ready(&self) -> Result<(), ConnectError> {
        let about = About {
            model: "res.company",
            external_id: "",
        };
        let domain = self
            .company
            .map_or_else(|| json!([]), |company| json!([["id", "=", company]]));
        let arguments = object(json!({"domain": domain, "fields": ["name"], "limit": 1}));
        let found = self.value(about, "search_read", arguments, Kind::Read).await?;
        match found.as_array().is_some_and(|companies| !companies.is_empty()) {
            true => Ok(()),
            false => Err(ConnectError::NotAllowed {
                system: self.system().to_owned(),
                reason: "it does not see the company that the config names".to_owned(),
            }),
        }
    }
}

/// The fields of a JSON object; none of anything else.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
