// What every plugin in TypeScript needs of the contract: faults, exact numbers, and
// the net under each function. Copy it beside your own.

import type { Decimal, EntityRef, Fault } from "cambist:plugin/types@0.1.0";

/** A fault on its way out: raised anywhere, answered by `answering`. */
class Raised extends Error {
  constructor(readonly fault: Fault) {
    super(fault.tag);
  }
}

/** The input breaks a rule: the field's path and never its value, and what a person has to put right. */
export const invalid = (field: string, rule: string) => new Raised({ tag: "invalid", val: { field, rule } });

/** The input refers to an entity that is not there yet. */
export const waiting = (entity: EntityRef) => new Raised({ tag: "waiting", val: entity });

/** This is not for this plugin. */
export const unhandled = (reason: string) => new Raised({ tag: "unhandled", val: reason });

/** The plugin itself cannot go on. */
export const broken = (text: string) => new Raised({ tag: "broken", val: text });

/**
 * A function of the contract. Its result is what it returns, its fault is what it
 * throws, and both must have the contract's form: an error of any other kind would reach
 * the host as a trap without a word, so that it becomes `broken` here.
 */
export function answering<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R {
  return (...args) => {
    try {
      return work(...args);
    } catch (error) {
      const fault: Fault =
        error instanceof Raised ? error.fault : { tag: "broken", val: `${error}\n${(error as Error).stack ?? ""}` };
      throw fault;
    }
  };
}

const DIGITS = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The contract's number from decimal text, without a float on the way; none where it is no such text. */
export function decimal(text: string): Decimal | undefined {
  const [all, sign, whole, behind = ""] = DIGITS.exec(text) ?? [];
  return all === undefined ? undefined : exact(BigInt(`${sign}${whole}${behind}`), behind.length);
}

/** One less the other, exactly; none where it has more digits than can be answered. */
export function minus(one: Decimal, other: Decimal): Decimal | undefined {
  const scale = Math.max(one.scale, other.scale);
  const scaled = (it: Decimal) => BigInt(it.units) * 10n ** BigInt(scale - it.scale);
  return exact(scaled(one) - scaled(other), scale);
}

/** The same with the other sign. */
export const negated = (it: Decimal): Decimal => ({ units: (0 - Number(it.units)) as unknown as bigint, scale: it.scale });

/**
 * QuickJS hands the contract's 64-bit numbers over as floats, whatever the generated
 * type says, and traps on a `bigint`: what a float does not hold exactly is none.
 */
function exact(units: bigint, scale: number): Decimal | undefined {
  const number = Number(units);
  if (!Number.isSafeInteger(number) || scale > 18) return undefined;
  return { units: number as unknown as bigint, scale };
}

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Whether a text is a day as the contract writes it. */
export function isDay(text: string): boolean {
  // `Date` takes the 30th of February for the 2nd of March
  return DAY.test(text) && text !== "0000-00-00" && dayOf(Date.parse(`${text}T00:00:00Z`)) === text;
}

/** The day so many days after a day. */
export const daysAfter = (day: string, days: number) => dayOf(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000);

/** The day of a moment in milliseconds since 1970, in UTC. */
export const dayOf = (moment: number) => (Number.isNaN(moment) ? "" : new Date(moment).toISOString().slice(0, 10));
