"""What a region sets for this plugin: `settings` of the binding, as JSON. Every key has a
default; an unknown key is refused, so that a typing error is found when the host tries the
binding's settings on the plugin's cases."""

import json
import re

from cambist import broken

DEFAULTS = {
    # the stages in which a deal is won
    "won-stages": ["closedwon"],
    # the portal's currency, where it has one
    "currency": None,
    # how far the region is from UTC
    "utc-offset": "+00:00",
    # how a contract is billed whose deal does not say
    "billing": "fixed-price",
    # each with `id`, `name`, `share-percent`, and `after-days` counted from the close date
    "milestones": [],
    # other spellings of countries, to ISO 3166-1 codes
    "countries": {},
    # the portal's own properties, by what they mean
    "properties": {
        "tax-id": "vat_id",
        "tax-id-confirmed": "vat_id_confirmed_on",
        "legal-name": "legal_name",
        "payment-terms": "payment_terms",
        "invoice-email": "invoice_email",
        "terms": "contract_terms",
        "delivery-owner": "delivery_owner_email",
        "customer-reference": "purchase_order_number",
        "billing": "billing_method",
        "start": "delivery_start",
        "end": "delivery_end",
        "unit": "unit_of_measure",
        "tax-class": "tax_class",
    },
}


def settings_of(context):
    """The binding's settings, with the defaults where nothing is set."""
    given = json.loads(context.settings)
    settings = filled(DEFAULTS, given)
    settings["properties"] = filled(DEFAULTS["properties"], given.get("properties", {}))
    settings["minutes-from-utc"] = minutes(settings["utc-offset"])
    return settings


def filled(defaults, given):
    for key in given:
        if key not in defaults:
            raise broken(f"settings: unknown field `{key}`, expected one of {', '.join(defaults)}")
    return defaults | given


def minutes(offset):
    """From -12:00 to +14:00, as far as clocks are set."""
    found = re.fullmatch(r"([+-])(\d\d):([0-5]\d)", offset, re.ASCII)
    east = found and (int(found[2]) * 60 + int(found[3])) * (-1 if found[1] == "-" else 1)
    if east is None or not -720 <= east <= 840:
        raise broken("settings: utc-offset must be an offset from UTC such as +05:30")
    return east
