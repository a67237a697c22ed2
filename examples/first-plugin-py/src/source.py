"""What every reader needs: whose object it is, and what the region has set."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cambist import invalid, is_day
from wit_world.imports.canonical import Change, ChangeKind_Upsert
from wit_world.imports.types import EntityRef

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass
class Source:
    """One call of `read`."""

    system: str
    time: str
    settings: dict

    def named(self, kind, found):
        """The canonical name of an object of this HubSpot."""
        return EntityRef(kind, self.system, found.required("id"))

    def day(self, properties, name):
        """A property as a day: a day as it is written, a moment as the day of the region that it falls on."""
        text = properties.text(name)
        if text is None or is_day(text):
            return text
        moment = moment_of(text)
        if moment is None:
            raise invalid(properties.path(name), "must be a date such as 2026-11-22")
        return (moment + timedelta(minutes=self.settings["minutes-from-utc"])).date().isoformat()

    def change(self, found, entity, filled):
        """A change of what an object implies. A field in `filled` is to be emptied where at least one of
        its properties is shown, and all that are shown are empty."""
        properties = found.inner("properties")

        def emptied(names):
            shown = [empty for empty in map(properties.emptied, names) if empty is not None]
            return bool(shown) and all(shown)

        return Change(
            entity=entity,
            kind=ChangeKind_Upsert(),
            cleared=[field for field, names in filled.items() if emptied(names)],
            changed_by=properties.text("hs_updated_by_user_id"),
            changed_at=updated(found) or self.time,
        )


def updated(found):
    """When an object was last updated. Moments are compared as texts, so that zeros at the end go."""
    text = found.text("updatedAt")
    if text is None:
        return None
    moment = moment_of(text)
    if moment is None:
        raise invalid(found.path("updatedAt"), "must be a moment such as 2026-11-22T04:00:00Z")
    written = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return written.rstrip("0").rstrip(".") + "Z"


def moment_of(text):
    """HubSpot's moments are RFC 3339 in UTC, or milliseconds since 1970 in its older form."""
    try:
        if re.fullmatch(r"-?\d+", text, re.ASCII):
            return EPOCH + timedelta(milliseconds=int(text))
        return datetime.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", text) else None
    except (ValueError, OverflowError):
        return None
