"""Reading a system's JSON by field names, with faults that name the field. An empty text,
`null` and `false` all mean that there is no value."""

import builtins
import json
import re
from decimal import Decimal

from cambist import exact, invalid

DECIMAL = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


class Fields:
    """A JSON object, and the path that leads to it."""

    def __init__(self, found, at=""):
        self._found = found
        self._at = at

    @classmethod
    def parse(cls, text):
        """Reads a JSON object. A number keeps all its digits."""
        found = json.loads(text, parse_float=Decimal)
        if not isinstance(found, dict):
            raise invalid("body", "must be a JSON object")
        return cls(found)

    def path(self, name):
        """The path of a field, as faults call it."""
        return f"{self._at}.{name}" if self._at else name

    def emptied(self, name):
        """Whether a field is shown without a value; none where it is not shown at all."""
        return self.text(name) is None if name in self._found else None

    def text(self, name):
        """A field as text, without white space around it."""
        found = self._found.get(name)
        if found is None or found is False:
            return None
        if isinstance(found, (dict, builtins.list)):
            raise invalid(self.path(name), "must be a text or a number")
        return ("true" if found is True else str(found)).strip() or None

    def required(self, name):
        """A field as text that must be there."""
        return present(self.text(name), self.path(name))

    def decimal(self, name):
        """A field as an exact number."""
        text = self.text(name)
        if text is None:
            return None
        number = exact(Decimal(text)) if DECIMAL.fullmatch(text) else None
        if number is None:
            raise invalid(self.path(name), "must be a decimal number with a point and at most 15 digits")
        return number

    def inner(self, name):
        """A field that is an object; an empty one when there is no value."""
        found = self._found.get(name) or {}
        if not isinstance(found, dict):
            raise invalid(self.path(name), "must be a JSON object")
        return Fields(found, self.path(name))

    def list(self, name):
        """A field that is a list of objects; empty when there is no value."""
        found = self._found.get(name) or []
        if not isinstance(found, builtins.list):
            raise invalid(self.path(name), "must be a list of objects")
        fields = [Fields(item, f"{self.path(name)}[{index}]") for index, item in enumerate(found)]
        for item in fields:
            if not isinstance(item._found, dict):
                raise invalid(item._at, "must be a JSON object")
        return fields


def present(found, field):
    """A value that must be there."""
    if found is None:
        raise invalid(field, "is required")
    return found
