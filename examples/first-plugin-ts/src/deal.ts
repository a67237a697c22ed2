// What a won deal implies: an account, its contacts, an opportunity, a contract and a
// project, in this order, so that each comes after what it refers to.

import type {
  BillingMethod,
  Change,
  Contract,
  ContractLine,
  Entity,
  Milestone,
  Opportunity,
  Project,
} from "cambist:plugin/canonical@0.1.0";
import type { Decimal, EntityKind, EntityRef } from "cambist:plugin/types@0.1.0";
import { daysAfter, dayOf, decimal, invalid, isDay, minus, negated, unhandled } from "./cambist.js";
import * as company from "./company.js";
import { Fields, present } from "./fields.js";
import type { Settings } from "./settings.js";

/** One call of `read`. */
export interface Source {
  system: string;
  time: string;
  settings: Settings;
}

/** HubSpot's type of the association with a deal's primary company. */
const PRIMARY = "deal_to_company";

export function read(source: Source, body: Fields): Change[] {
  const deal = body.inner("deal");
  const from = deal.inner("properties");
  refuseUnlessWon(source, from);

  const own = source.settings.properties;
  const buyer = customer(deal, body.list("companies"));
  const account = named(source, "account", buyer);
  const people = body.list("contacts");
  const id = deal.required("id");
  const closed = present(day(source, from, "closedate"), from.path("closedate"));
  const opportunity: Opportunity = {
    ref: { kind: "opportunity", system: source.system, id },
    name: from.required("dealname"),
    account,
    contact: people[0] && named(source, "contact", people[0]),
    status: "won",
    amount: from.decimal("amount"),
    currency: currency(source, from),
    closeDate: closed,
    owner: from.text("hubspot_owner_id"),
    extra: [],
  };
  const contract: Contract = {
    ref: { kind: "contract", system: source.system, id },
    opportunity: opportunity.ref,
    account,
    contact: opportunity.contact,
    name: opportunity.name,
    status: "approved",
    billing: billing(source, from),
    terms: from.text(own.terms),
    customerReference: from.text(own["customer-reference"]),
    currency: opportunity.currency,
    signed: closed,
    start: day(source, from, own.start),
    end: day(source, from, own.end),
    lines: lines(source, body, opportunity),
    extra: [],
  };
  return [
    company.read(source, buyer),
    ...people.map((person) => contact(source, person, account)),
    change(source, deal, { tag: "opportunity", val: opportunity }, { amount: ["amount"], owner: ["hubspot_owner_id"] }),
    change(source, deal, { tag: "contract", val: contract }, {
      terms: [own.terms],
      "customer-reference": [own["customer-reference"]],
      start: [own.start],
      end: [own.end],
    }),
    change(source, deal, { tag: "project", val: project(source, from, closed, contract) }, {
      "delivery-owner": [own["delivery-owner"]],
    }),
  ];
}

/** A contact works for `account` only where HubSpot says so: a deal has advisers among its contacts, too. */
export function contact(source: Source, person: Fields, account?: EntityRef): Change {
  const from = person.inner("properties");
  const val = {
    ref: named(source, "contact", person),
    account: from.text("associatedcompanyid") === account?.id ? account : undefined,
    givenName: from.text("firstname"),
    familyName: from.text("lastname"),
    jobTitle: from.text("jobtitle"),
    email: from.text("email"),
    phone: from.text("phone"),
    extra: [],
  };
  return change(source, person, { tag: "contact", val }, {
    "given-name": ["firstname"],
    "family-name": ["lastname"],
    "job-title": ["jobtitle"],
    email: ["email"],
    phone: ["phone"],
  });
}

/**
 * A change of what `object` implies. A field in `filled` is to be emptied where at least
 * one of its properties is shown, and all that are shown are empty.
 */
export function change(
  source: Source,
  object: Fields,
  entity: Entity,
  filled: Record<string, string[]>,
): Change {
  const from = object.inner("properties");
  const emptied = (properties: string[]) => {
    const shown = properties.map((name) => from.emptied(name)).filter((empty) => empty !== undefined);
    return shown.length > 0 && shown.every(Boolean);
  };
  return {
    entity,
    kind: { tag: "upsert" },
    cleared: Object.keys(filled).filter((field) => emptied(filled[field]!)),
    changedBy: from.text("hs_updated_by_user_id"),
    changedAt: moment(object) ?? source.time,
  };
}

/** The canonical name of an object of this HubSpot. */
export const named = (source: Source, kind: EntityKind, object: Fields): EntityRef => ({
  kind,
  system: source.system,
  id: object.required("id"),
});

/** A property as a day: a day as it is written, a moment as the day of the region that it falls on. */
export function day(source: Source, from: Fields, name: string): string | undefined {
  const text = from.text(name);
  if (text === undefined || isDay(text)) return text;
  const found = dayOf(milliseconds(text) + source.settings.minutesFromUtc * 60_000);
  if (found === "") throw invalid(from.path(name), "must be a date such as 2026-11-22");
  return found;
}

/** HubSpot's moments are RFC 3339 in UTC, or milliseconds since 1970 in its older form. */
const milliseconds = (text: string) =>
  /^-?\d+$/.test(text) ? Number(text) : /^\d{4}-\d\d-\d\dT.*Z$/.test(text) ? Date.parse(text) : NaN;

/** When an object was last updated. Moments are compared as texts, so that zeros at the end go. */
function moment(object: Fields): string | undefined {
  const text = object.text("updatedAt");
  if (text === undefined) return undefined;
  const at = milliseconds(text);
  if (Number.isNaN(at)) throw invalid(object.path("updatedAt"), "must be a moment such as 2026-11-22T04:00:00Z");
  return new Date(at).toISOString().replace(/\.?0*Z$/, "Z");
}

/** The company that buys: the deal's primary one, or the only one. */
function customer(deal: Fields, companies: Fields[]): Fields {
  const wrong = (rule: string) => invalid("companies", rule);
  const associations = deal.inner("associations").inner("companies").list("results");
  const primary = new Set(associations.filter((it) => it.text("type") === PRIMARY).map((it) => it.required("id")));
  if (companies.length === 0) {
    throw wrong("must name a company: associate the deal with its customer in HubSpot, then replay");
  }
  if (primary.size === 1) {
    const found = companies.find((it) => primary.has(it.text("id") ?? ""));
    if (found) return found;
    throw wrong("must hold the deal's primary company: HubSpot does not show it to our key, or it is gone");
  }
  if (companies.length === 1 && primary.size === 0) return companies[0]!;
  throw wrong("must have one that is primary: mark the customer as the deal's primary company in HubSpot, then replay");
}

function refuseUnlessWon(source: Source, from: Fields): void {
  if (from.text("hs_is_closed_won") === "true") return;
  const stage = from.text("dealstage") ?? "";
  if (!source.settings["won-stages"].includes(stage)) throw unhandled(`deal stage \`${stage}\` is not won`);
}

function currency(source: Source, from: Fields): string {
  const code = from.text("deal_currency_code") ?? source.settings.currency;
  if (code === null) {
    const rule = "is required: turn on several currencies in HubSpot, or set `currency` in the settings";
    throw invalid(from.path("deal_currency_code"), rule);
  }
  // the host knows which codes exist and refuses the others; here only the form is checked
  if (!/^[A-Z]{3}$/.test(code)) {
    throw invalid(from.path("deal_currency_code"), "must be an ISO 4217 code such as EUR");
  }
  return code;
}

function billing(source: Source, from: Fields): BillingMethod {
  const own = source.settings.properties;
  const word = from.text(own.billing);
  switch (word) {
    case undefined:
      return source.settings.billing;
    case "time-and-material":
    case "capped":
    case "fixed-price":
      return word;
    default:
      throw invalid(
        from.path(own.billing),
        "must be `time-and-material`, `capped` or `fixed-price`: the internal values of the property's options",
      );
  }
}

/** What was agreed: the line items, or the deal's amount as one line where it has none. */
function lines(source: Source, body: Fields, deal: Opportunity): ContractLine[] {
  const items = body.list("line_items");
  if (items.length > 0) return items.map((item) => line(source, item, deal.currency));
  if (deal.amount === undefined) {
    const rule = "is required for a deal without line items: set an amount, or add line items";
    throw invalid("deal.properties.amount", rule);
  }
  const one = present(decimal("1"), "quantity");
  return [{ id: "amount", name: deal.name ?? "", ...signed(one, deal.amount), extra: [] }];
}

/** HubSpot lets a price be negative; a line that takes back has a negative quantity. */
function signed(quantity: Decimal, unitPrice: Decimal): { quantity: Decimal; unitPrice: Decimal } {
  if (BigInt(unitPrice.units) >= 0n) return { quantity, unitPrice };
  return { quantity: negated(quantity), unitPrice: negated(unitPrice) };
}

function line(source: Source, item: Fields, currency: string | undefined): ContractLine {
  const own = source.settings.properties;
  const from = item.inner("properties");
  if (from.text("recurringbillingfrequency") !== undefined) {
    const rule = "must be empty: a line that recurs is a subscription, which this mapping does not know";
    throw invalid(from.path("recurringbillingfrequency"), rule);
  }
  if ((from.text("hs_line_item_currency_code") ?? currency) !== currency) {
    throw invalid(from.path("hs_line_item_currency_code"), "must be the deal's currency: a contract has one");
  }
  const { unitPrice, discountPercent } = price(from);
  return {
    id: item.required("id"),
    name: from.required("name"),
    sku: from.text("hs_sku"),
    ...signed(present(from.decimal("quantity"), from.path("quantity")), unitPrice),
    unit: from.text(own.unit),
    discountPercent,
    taxClass: from.text(own["tax-class"]),
    extra: [],
  };
}

/** `discount` is money off each unit, which is the price made smaller; `hs_discount_percentage` stays a percentage. */
function price(from: Fields): { unitPrice: Decimal; discountPercent?: Decimal } {
  const full = present(from.decimal("price"), from.path("price"));
  const given = (name: string) => {
    const number = from.decimal(name);
    return number && BigInt(number.units) !== 0n ? number : undefined;
  };
  const off = given("discount");
  const discountPercent = given("hs_discount_percentage");
  if (off === undefined) return { unitPrice: full, discountPercent };
  if (discountPercent !== undefined) {
    const rule = "must be empty where `hs_discount_percentage` is set: a line has one discount";
    throw invalid(from.path("discount"), rule);
  }
  return { unitPrice: present(minus(full, off), from.path("discount")) };
}

/** A project begins when the deal says or was closed, and ends when it says or with its last milestone. */
function project(source: Source, from: Fields, closed: string, contract: Contract): Project {
  const own = source.settings.properties;
  const milestones: Milestone[] = source.settings.milestones.map((template) => ({
    id: template.id,
    name: template.name,
    due: daysAfter(closed, template["after-days"]),
    sharePercent: template["share-percent"] === undefined ? undefined : decimal(template["share-percent"]),
    extra: [],
  }));
  const start = contract.start ?? closed;
  if (contract.end !== undefined && contract.end < start) {
    const rule = `must not be before \`${own.start}\`, or before the close date where that is empty`;
    throw invalid(from.path(own.end), rule);
  }
  // days written so stand in the order of time
  const last = milestones.reduce<string | undefined>((last, it) => (it.due! > (last ?? start) ? it.due : (last ?? start)), undefined);
  return {
    ref: { ...contract.ref, kind: "project" },
    contract: contract.ref,
    account: contract.account,
    name: contract.name,
    deliveryOwner: from.text(own["delivery-owner"]),
    status: "planned",
    start,
    end: contract.end ?? last,
    milestones,
    extra: [],
  };
}
