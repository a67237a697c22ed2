"""A first plugin in Python: a won HubSpot deal as account, contacts, opportunity, contract and
project. `map-hubspot` does the same in Rust, and both ways."""

import company
import deal
from cambist import answering, broken, unhandled
from fields import Fields, present
from settings import settings_of
from source import Source
from wit_world import exports
from wit_world.imports.types import EntityKind

# what happens to an object that is not read again as it stands afterwards
NOT_MAPPED = {
    "deletion": "a deletion in HubSpot does not undo what was agreed; cancel it in the ERP",
    "merge": "merged records keep their own counterparts; merge them in the ERP too",
    "privacyDeletion": "a privacy deletion is carried out by people, in every system",
}


# the tool looks for a class of the interface's name
class Mapping(exports.Mapping):
    @answering
    def read(self, context, input):
        reason = NOT_MAPPED.get(input.event.rsplit(".", 1)[-1])
        if reason is not None:
            raise unhandled(reason)
        source = Source(input.system, context.time, settings_of(context))
        body = Fields.parse(input.body)
        if input.object_kind == "deal":
            return deal.read(source, body)
        if input.object_kind == "company":
            return [company.read(source, first(body, "companies"))]
        if input.object_kind == "contact":
            return contact(source, body)
        raise unhandled(f"no mapping for a HubSpot {input.object_kind}")

    @answering
    def write(self, context, input):
        raise broken("this plugin reads, and writes nothing")


def contact(source, body):
    """A contact, after the company it works for."""
    person = first(body, "contacts")
    companies = body.list("companies")
    if not companies:
        return [deal.contact(source, person)]
    account = source.named(EntityKind.ACCOUNT, companies[0])
    return [company.read(source, companies[0]), deal.contact(source, person, account)]


def first(body, name):
    return present(next(iter(body.list(name)), None), f"{name}[0]")
