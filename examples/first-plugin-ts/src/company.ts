// A HubSpot company is an account. `map-hubspot` knows every country and state; this
// example knows the ones its region sells to.

import type { Address, Change } from "cambist:plugin/canonical@0.1.0";
import { invalid } from "./cambist.js";
import { type Source, change, day, named } from "./deal.js";
import type { Fields } from "./fields.js";

const COUNTRIES: Record<string, string> = {
  austria: "AT",
  france: "FR",
  germany: "DE",
  india: "IN",
  switzerland: "CH",
  "united states": "US",
};

/** States, for the countries whose tax or addresses ask for them. */
const STATES: Record<string, Record<string, string>> = {
  DE: { bavaria: "BY", bayern: "BY", berlin: "BE", hamburg: "HH", hessen: "HE" },
  IN: { delhi: "DL", gujarat: "GJ", karnataka: "KA", maharashtra: "MH" },
};

export function read(source: Source, company: Fields): Change {
  const own = source.settings.properties;
  const from = company.inner("properties");
  const val = {
    ref: named(source, "account", company),
    name: from.required("name"),
    legalName: from.text(own["legal-name"]),
    business: true,
    // people write `DE 136 695 976`; the number is the letters and digits
    taxId: from.text(own["tax-id"])?.replace(/[\s./-]/g, "").toUpperCase(),
    taxIdConfirmed: day(source, from, own["tax-id-confirmed"]),
    billing: address(source, from),
    paymentTerms: from.text(own["payment-terms"]),
    email: from.text(own["invoice-email"]),
    phone: from.text("phone"),
    website: from.text("website") ?? from.text("domain"),
    extra: [],
  };
  return change(source, company, { tag: "account", val }, {
    "legal-name": [own["legal-name"]],
    "tax-id": [own["tax-id"]],
    "tax-id-confirmed": [own["tax-id-confirmed"]],
    billing: ["address", "address2", "city", "zip", "state", "country"],
    "payment-terms": [own["payment-terms"]],
    email: [own["invoice-email"]],
    phone: ["phone"],
    website: ["website", "domain"],
  });
}

function address(source: Source, from: Fields): Address | undefined {
  const code = country(source, from);
  const whole: Address = {
    street: from.text("address"),
    street2: from.text("address2"),
    city: from.text("city"),
    postcode: from.text("zip"),
    subdivision: code && state(from, code),
    country: code,
  };
  return Object.values(whole).some((part) => part !== undefined) ? whole : undefined;
}

/** A country by name or code. What is unknown is a fault and never a guess: the country decides the tax. */
function country(source: Source, from: Fields): string | undefined {
  const text = from.text("country");
  if (text === undefined) return undefined;
  const upper = text.toUpperCase();
  const known = Object.values(COUNTRIES).includes(upper) ? upper : COUNTRIES[text.toLowerCase()];
  const code = source.settings.countries[text] ?? known;
  if (code === undefined) {
    throw invalid(
      from.path("country"),
      "must be a country by its English name or ISO 3166 code; add other spellings to `countries` in the settings",
    );
  }
  return code;
}

function state(from: Fields, country: string): string | undefined {
  const text = from.text("state");
  const states = STATES[country];
  if (text === undefined || states === undefined) return undefined;
  const short = text.replace(`${country}-`, "");
  const code = Object.values(states).includes(short) ? short : states[text.toLowerCase()];
  if (code === undefined && country === "IN") {
    throw invalid(
      from.path("state"),
      "must be a state by its English name or ISO 3166-2 code; add other spellings to `subdivisions` in the settings",
    );
  }
  return code && `${country}-${code}`;
}
