// What a region sets for this plugin: `settings` of the binding, as JSON. Every key has
// a default; an unknown key is refused, so that a typing error is found when the host
// tries the binding's settings on the plugin's cases.

import type { BillingMethod } from "cambist:plugin/canonical@0.1.0";
import type { Context } from "cambist:plugin/types@0.1.0";
import { broken } from "./cambist.js";

/** One milestone of every project, counted from the day the deal was closed. */
interface MilestoneTemplate {
  id: string;
  name: string;
  "share-percent"?: string;
  "after-days": number;
}

const DEFAULTS = {
  /** The stages in which a deal is won. */
  "won-stages": ["closedwon"],
  /** The portal's currency, where it has one. */
  currency: null as string | null,
  /** How far the region is from UTC, such as `+05:30`. */
  "utc-offset": "+00:00",
  /** How a contract is billed whose deal does not say. */
  billing: "fixed-price" as BillingMethod,
  /** The milestones of a project. */
  milestones: [] as MilestoneTemplate[],
  /** Other spellings of countries, to ISO 3166-1 codes. */
  countries: {} as Record<string, string>,
  /** The portal's own properties, by what they mean. */
  properties: {
    "tax-id": "vat_id",
    "tax-id-confirmed": "vat_id_confirmed_on",
    "legal-name": "legal_name",
    "payment-terms": "payment_terms",
    "invoice-email": "invoice_email",
    terms: "contract_terms",
    "delivery-owner": "delivery_owner_email",
    "customer-reference": "purchase_order_number",
    billing: "billing_method",
    start: "delivery_start",
    end: "delivery_end",
    unit: "unit_of_measure",
    "tax-class": "tax_class",
  },
};

export type Settings = typeof DEFAULTS & { minutesFromUtc: number };

export function settingsOf(context: Context): Settings {
  const set = JSON.parse(context.settings);
  const settings = { ...filled(DEFAULTS, set), properties: filled(DEFAULTS.properties, set.properties ?? {}) };
  return { ...settings, minutesFromUtc: minutes(settings["utc-offset"]) };
}

/** What is set, with the defaults where nothing is. */
function filled<T extends object>(defaults: T, set: object): T {
  const keys = Object.keys(defaults);
  const unknown = Object.keys(set).find((key) => !keys.includes(key));
  if (unknown !== undefined) {
    throw broken(`settings: unknown field \`${unknown}\`, expected one of ${keys.join(", ")}`);
  }
  return { ...defaults, ...set };
}

/** From -12:00 to +14:00, as far as clocks are set. */
function minutes(offset: string): number {
  const [all, sign, hours, behind] = /^([+-])(\d\d):([0-5]\d)$/.exec(offset) ?? [];
  const east = (Number(hours) * 60 + Number(behind)) * (sign === "-" ? -1 : 1);
  if (all === undefined || east < -720 || east > 840) {
    throw broken("settings: utc-offset must be an offset from UTC such as +05:30");
  }
  return east;
}
