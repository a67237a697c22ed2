"""A HubSpot company is an account. `map-hubspot` knows every country and state; this example
knows the ones its region sells to."""

import re

from cambist import entity, invalid
from wit_world.imports.canonical import Account, Address, Entity_Account
from wit_world.imports.types import EntityKind

COUNTRIES = {
    "austria": "AT",
    "france": "FR",
    "germany": "DE",
    "india": "IN",
    "switzerland": "CH",
    "united states": "US",
}

# states, for the countries whose tax or addresses ask for them
STATES = {
    "DE": {"bavaria": "BY", "bayern": "BY", "berlin": "BE", "hamburg": "HH", "hessen": "HE"},
    "IN": {"delhi": "DL", "gujarat": "GJ", "karnataka": "KA", "maharashtra": "MH"},
}


def read(source, company):
    own = source.settings["properties"]
    properties = company.inner("properties")
    tax_id = properties.text(own["tax-id"])
    account = entity(
        Account,
        ref=source.named(EntityKind.ACCOUNT, company),
        name=properties.required("name"),
        legal_name=properties.text(own["legal-name"]),
        business=True,
        # people write `DE 136 695 976`; the number is the letters and digits
        tax_id=re.sub(r"[\s./-]", "", tax_id).upper() if tax_id else None,
        tax_id_confirmed=source.day(properties, own["tax-id-confirmed"]),
        billing=address(source, properties),
        payment_terms=properties.text(own["payment-terms"]),
        email=properties.text(own["invoice-email"]),
        phone=properties.text("phone"),
        website=properties.text("website") or properties.text("domain"),
    )
    filled = {
        "legal-name": [own["legal-name"]],
        "tax-id": [own["tax-id"]],
        "tax-id-confirmed": [own["tax-id-confirmed"]],
        "billing": ["address", "address2", "city", "zip", "state", "country"],
        "payment-terms": [own["payment-terms"]],
        "email": [own["invoice-email"]],
        "phone": ["phone"],
        "website": ["website", "domain"],
    }
    return source.change(company, Entity_Account(account), filled)


def address(source, properties):
    code = country(source, properties)
    whole = Address(
        street=properties.text("address"),
        street2=properties.text("address2"),
        city=properties.text("city"),
        postcode=properties.text("zip"),
        subdivision=state(properties, code) if code else None,
        country=code,
    )
    return whole if any(part is not None for part in vars(whole).values()) else None


def country(source, properties):
    """A country by name or code. What is unknown is a fault and never a guess: the country decides the tax."""
    text = properties.text("country")
    if text is None:
        return None
    known = text.upper() if text.upper() in COUNTRIES.values() else COUNTRIES.get(text.lower())
    code = source.settings["countries"].get(text, known)
    if code is None:
        raise invalid(
            properties.path("country"),
            "must be a country by its English name or ISO 3166 code; add other spellings to `countries` in the settings",
        )
    return code


def state(properties, country):
    text = properties.text("state")
    states = STATES.get(country)
    if text is None or states is None:
        return None
    short = text.removeprefix(f"{country}-")
    code = short if short in states.values() else states.get(text.lower())
    if code is None and country == "IN":
        raise invalid(
            properties.path("state"),
            "must be a state by its English name or ISO 3166-2 code; add other spellings to `subdivisions` in the settings",
        )
    return f"{country}-{code}" if code else None
