// A first plugin in TypeScript: a won HubSpot deal as account, contacts, opportunity,
// contract and project. `map-hubspot` does the same in Rust, and both ways.

import type { Change } from "cambist:plugin/canonical@0.1.0";
import type { Inbound, Outbound, Plan } from "cambist:plugin/mapping@0.1.0";
import type { Context } from "cambist:plugin/types@0.1.0";
import { answering, broken, unhandled } from "./cambist.js";
import * as company from "./company.js";
import * as deal from "./deal.js";
import { Fields, present } from "./fields.js";
import { settingsOf } from "./settings.js";

/** What happens to an object that is not read again as it stands afterwards. */
const NOT_MAPPED: Record<string, string> = {
  deletion: "a deletion in HubSpot does not undo what was agreed; cancel it in the ERP",
  merge: "merged records keep their own counterparts; merge them in the ERP too",
  privacyDeletion: "a privacy deletion is carried out by people, in every system",
};

function read(context: Context, input: Inbound): Change[] {
  const reason = NOT_MAPPED[input.event.split(".").at(-1) ?? ""];
  if (reason !== undefined) throw unhandled(reason);
  const source = { system: input.system, time: context.time, settings: settingsOf(context) };
  const body = Fields.parse(input.body);
  const first = (list: string) => present(body.list(list)[0], `${list}[0]`);
  switch (input.objectKind) {
    case "deal":
      return deal.read(source, body);
    case "company":
      return [company.read(source, first("companies"))];
    case "contact": {
      const employer = body.list("companies")[0];
      const person = first("contacts");
      if (employer === undefined) return [deal.contact(source, person)];
      const account = deal.named(source, "account", employer);
      return [company.read(source, employer), deal.contact(source, person, account)];
    }
    default:
      throw unhandled(`no mapping for a HubSpot ${input.objectKind}`);
  }
}

function write(_context: Context, _input: Outbound): Plan {
  throw broken("this plugin reads, and writes nothing");
}

export const mapping = { read: answering(read), write: answering(write) };
