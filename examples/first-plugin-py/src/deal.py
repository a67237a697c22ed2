"""What a won deal implies: an account, its contacts, an opportunity, a contract and a project,
in this order, so that each comes after what it refers to."""

from decimal import Decimal

import company
from cambist import days_after, entity, exact, invalid, unhandled, value
from fields import present
from wit_world.imports.canonical import (
    BillingMethod,
    Contact,
    Contract,
    ContractLine,
    ContractStatus,
    Entity_Contact,
    Entity_Contract,
    Entity_Opportunity,
    Entity_Project,
    Milestone,
    Opportunity,
    OpportunityStatus,
    Project,
    ProjectStatus,
)
from wit_world.imports.types import EntityKind

# HubSpot's type of the association with a deal's primary company
PRIMARY = "deal_to_company"

BILLING = {
    "time-and-material": BillingMethod.TIME_AND_MATERIAL,
    "capped": BillingMethod.CAPPED,
    "fixed-price": BillingMethod.FIXED_PRICE,
}


def read(source, body):
    own = source.settings["properties"]
    found = body.inner("deal")
    properties = found.inner("properties")
    refuse_unless_won(source, properties)

    buyer = customer(found, body.list("companies"))
    account = source.named(EntityKind.ACCOUNT, buyer)
    people = body.list("contacts")
    closed = present(source.day(properties, "closedate"), properties.path("closedate"))
    opportunity = entity(
        Opportunity,
        ref=source.named(EntityKind.OPPORTUNITY, found),
        name=properties.required("dealname"),
        account=account,
        contact=source.named(EntityKind.CONTACT, people[0]) if people else None,
        status=OpportunityStatus.WON,
        amount=properties.decimal("amount"),
        currency=currency(source, properties),
        close_date=closed,
        owner=properties.text("hubspot_owner_id"),
    )
    contract = entity(
        Contract,
        ref=source.named(EntityKind.CONTRACT, found),
        opportunity=opportunity.ref,
        account=account,
        contact=opportunity.contact,
        name=opportunity.name,
        status=ContractStatus.APPROVED,
        billing=billing(source, properties),
        terms=properties.text(own["terms"]),
        customer_reference=properties.text(own["customer-reference"]),
        currency=opportunity.currency,
        signed=closed,
        start=source.day(properties, own["start"]),
        end=source.day(properties, own["end"]),
        lines=lines(source, body, opportunity),
    )
    of_contract = {
        "terms": [own["terms"]],
        "customer-reference": [own["customer-reference"]],
        "start": [own["start"]],
        "end": [own["end"]],
    }
    of_project = {"delivery-owner": [own["delivery-owner"]]}
    of_opportunity = {"amount": ["amount"], "owner": ["hubspot_owner_id"]}
    delivery = project(source, found, closed, contract)
    return [
        company.read(source, buyer),
        *(contact(source, person, account) for person in people),
        source.change(found, Entity_Opportunity(opportunity), of_opportunity),
        source.change(found, Entity_Contract(contract), of_contract),
        source.change(found, Entity_Project(delivery), of_project),
    ]


def contact(source, person, account=None):
    """A contact works for `account` only where HubSpot says so: a deal has advisers among its contacts, too."""
    properties = person.inner("properties")
    employed = account is not None and properties.text("associatedcompanyid") == account.id
    read = entity(
        Contact,
        ref=source.named(EntityKind.CONTACT, person),
        account=account if employed else None,
        given_name=properties.text("firstname"),
        family_name=properties.text("lastname"),
        job_title=properties.text("jobtitle"),
        email=properties.text("email"),
        phone=properties.text("phone"),
    )
    filled = {
        "given-name": ["firstname"],
        "family-name": ["lastname"],
        "job-title": ["jobtitle"],
        "email": ["email"],
        "phone": ["phone"],
    }
    return source.change(person, Entity_Contact(read), filled)


def customer(found, companies):
    """The company that buys: the deal's primary one, or the only one."""
    associations = found.inner("associations").inner("companies").list("results")
    primary = {it.required("id") for it in associations if it.text("type") == PRIMARY}
    if not companies:
        rule = "must name a company: associate the deal with its customer in HubSpot, then replay"
    elif len(primary) == 1:
        for it in companies:
            if it.text("id") in primary:
                return it
        rule = "must hold the deal's primary company: HubSpot does not show it to our key, or it is gone"
    elif len(companies) == 1 and not primary:
        return companies[0]
    else:
        rule = "must have one that is primary: mark the customer as the deal's primary company in HubSpot, then replay"
    raise invalid("companies", rule)


def refuse_unless_won(source, properties):
    if properties.text("hs_is_closed_won") == "true":
        return
    stage = properties.text("dealstage") or ""
    if stage not in source.settings["won-stages"]:
        raise unhandled(f"deal stage `{stage}` is not won")


def currency(source, properties):
    code = properties.text("deal_currency_code") or source.settings["currency"]
    field = properties.path("deal_currency_code")
    if code is None:
        raise invalid(field, "is required: turn on several currencies in HubSpot, or set `currency` in the settings")
    # the host knows which codes exist and refuses the others; here only the form is checked
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise invalid(field, "must be an ISO 4217 code such as EUR")
    return code


def billing(source, properties):
    own = source.settings["properties"]["billing"]
    word = properties.text(own) or source.settings["billing"]
    if word not in BILLING:
        raise invalid(
            properties.path(own),
            "must be `time-and-material`, `capped` or `fixed-price`: the internal values of the property's options",
        )
    return BILLING[word]


def lines(source, body, opportunity):
    """What was agreed: the line items, or the deal's amount as one line where it has none."""
    items = body.list("line_items")
    if items:
        return [line(source, item, opportunity.currency) for item in items]
    if opportunity.amount is None:
        rule = "is required for a deal without line items: set an amount, or add line items"
        raise invalid("deal.properties.amount", rule)
    quantity, unit_price = signed(exact(Decimal(1)), opportunity.amount)
    return [
        entity(
            ContractLine,
            id="amount",
            name=opportunity.name,
            quantity=quantity,
            unit_price=unit_price,
        )
    ]


def signed(quantity, price):
    """HubSpot lets a price be negative; a line that takes back has a negative quantity."""
    if price.units >= 0:
        return quantity, price
    return exact(-value(quantity)), exact(-value(price))


def line(source, item, agreed):
    own = source.settings["properties"]
    properties = item.inner("properties")
    if properties.text("recurringbillingfrequency") is not None:
        rule = "must be empty: a line that recurs is a subscription, which this mapping does not know"
        raise invalid(properties.path("recurringbillingfrequency"), rule)
    if properties.text("hs_line_item_currency_code") not in (None, agreed):
        rule = "must be the deal's currency: a contract has one"
        raise invalid(properties.path("hs_line_item_currency_code"), rule)
    unit_price, discount_percent = price(properties)
    quantity = present(properties.decimal("quantity"), properties.path("quantity"))
    quantity, unit_price = signed(quantity, unit_price)
    return entity(
        ContractLine,
        id=item.required("id"),
        name=properties.required("name"),
        sku=properties.text("hs_sku"),
        quantity=quantity,
        unit=properties.text(own["unit"]),
        unit_price=unit_price,
        discount_percent=discount_percent,
        tax_class=properties.text(own["tax-class"]),
    )


def price(properties):
    """`discount` is money off each unit, which is the price made smaller; `hs_discount_percentage` stays a
    percentage."""
    full = present(properties.decimal("price"), properties.path("price"))

    def given(name):
        number = properties.decimal(name)
        return number if number is not None and number.units != 0 else None

    off, percent = given("discount"), given("hs_discount_percentage")
    if off is None:
        return full, percent
    if percent is not None:
        rule = "must be empty where `hs_discount_percentage` is set: a line has one discount"
        raise invalid(properties.path("discount"), rule)
    return present(exact(value(full) - value(off)), properties.path("discount")), None


def project(source, found, closed, contract):
    """A project begins when the deal says or was closed, and ends when it says or with its last milestone."""
    own = source.settings["properties"]
    properties = found.inner("properties")
    milestones = [
        entity(
            Milestone,
            id=template["id"],
            name=template["name"],
            due=days_after(closed, template["after-days"]),
            share_percent=exact(Decimal(template["share-percent"])) if "share-percent" in template else None,
        )
        for template in source.settings["milestones"]
    ]
    start = contract.start or closed
    # days written so stand in the order of time
    if contract.end is not None and contract.end < start:
        rule = f"must not be before `{own['start']}`, or before the close date where that is empty"
        raise invalid(properties.path(own["end"]), rule)
    last = max([start, *(it.due for it in milestones)]) if milestones else None
    return entity(
        Project,
        ref=source.named(EntityKind.PROJECT, found),
        contract=contract.ref,
        account=contract.account,
        name=contract.name,
        delivery_owner=properties.text(own["delivery-owner"]),
        status=ProjectStatus.PLANNED,
        start=start,
        end=contract.end or last,
        milestones=milestones,
    )
