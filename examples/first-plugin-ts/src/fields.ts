// Reading a system's JSON by field names, with faults that name the field. An empty
// text, `null` and `false` all mean that there is no value.

import type { Decimal } from "cambist:plugin/types@0.1.0";
import { decimal, invalid } from "./cambist.js";

/** A JSON object, and the path that leads to it. */
export class Fields {
  private constructor(
    private readonly object: Record<string, unknown>,
    private readonly at: string,
  ) {}

  /** Reads a JSON object. `JSON.parse` makes floats of numbers: money must come as text, as HubSpot sends it. */
  static parse(text: string): Fields {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) throw invalid("body", "must be a JSON object");
    return new Fields(value, "");
  }

  /** The path of a field, as faults call it. */
  path(name: string): string {
    return this.at === "" ? name : `${this.at}.${name}`;
  }

  /** Whether a field is shown without a value; none where it is not shown at all. */
  emptied(name: string): boolean | undefined {
    return name in this.object ? this.text(name) === undefined : undefined;
  }

  /** A field as text, without white space around it. */
  text(name: string): string | undefined {
    const value = this.object[name];
    if (value === undefined || value === null || value === false) return undefined;
    if (typeof value === "object") throw invalid(this.path(name), "must be a text or a number");
    return String(value).trim() || undefined;
  }

  /** A field as text that must be there. */
  required(name: string): string {
    return present(this.text(name), this.path(name));
  }

  /** A field as an exact number. */
  decimal(name: string): Decimal | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = decimal(text);
    if (number === undefined) throw invalid(this.path(name), "must be a decimal number with a point and at most 15 digits");
    return number;
  }

  /** A field that is an object; an empty one when there is no value. */
  inner(name: string): Fields {
    const value = this.object[name] ?? {};
    if (!isObject(value)) throw invalid(this.path(name), "must be a JSON object");
    return new Fields(value, this.path(name));
  }

  /** A field that is a list of objects; empty when there is no value. */
  list(name: string): Fields[] {
    const value = this.object[name] ?? [];
    if (!Array.isArray(value)) throw invalid(this.path(name), "must be a list of objects");
    return value.map((item, index) => {
      const at = `${this.path(name)}[${index}]`;
      if (!isObject(item)) throw invalid(at, "must be a JSON object");
      return new Fields(item, at);
    });
  }
}

/** A value that must be there. */
export function present<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw invalid(field, "is required");
  return value;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
