#!/usr/bin/env python3
"""Checks the digest chain of a journal, and shares no code with the host that wrote it.

    tests/chain/verify.py JOURNAL [PLACE:DIGEST ...]

It reads `host/journal/FORMAT.md`, not the host: SQLite and SHA-256 are Python's own. Each
PLACE:DIGEST is a head that was kept elsewhere, which the journal must still contain.

It writes nothing. Make it read a copy (`cambist journal backup`), or the journal of a host
that has stopped or runs beside it.

Exit codes: 0 the chain holds; 1 it does not, and the first entry that does not fit is named;
2 it cannot be checked.
"""

import hashlib
import json
import sqlite3
import sys
from pathlib import Path

KNOWN = range(1, 7)  # the formats of which FORMAT.md speaks
APPLICATION = 0x434D424A  # "CMBJ"
WITH_PLUGINS = 3  # the first format with entries about plugins
WITH_ERASED = 6  # the first format with salts, and with entries that say what was erased
PLUGINS = "plugins"  # stands for a message in these
ERASED = b'{"what":"erased",'  # how such an event begins


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def chained(*parts: bytes) -> bytes:
    """SHA-256 over all parts, each behind its length as eight bytes, big-endian."""
    return sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts))


def sealed(text: bytes, salt: bytes | None) -> bytes:
    """What stands for a text in the chain, digested with its message's salt where it has one."""
    return sha256(text) if salt is None else chained(salt, sha256(text))


class Broken(Exception):
    """The first entry that does not fit, and why."""


def walk(journal: sqlite3.Connection, form: int, expected: dict[int, bytes]) -> tuple[int, bytes]:
    """Works every digest out again. Gives the last place and its digest."""
    place, head = 0, bytes(32)
    received: set[int] = set()
    salts: dict[int, bytes] = {}
    erased: dict[int, int] = {}  # where it says last what was erased of a message
    if form >= WITH_ERASED:
        salts = dict(journal.execute("SELECT arrival, salt FROM salts"))
        found = journal.execute("SELECT arrival, place, event FROM entries ORDER BY place")
        erased = {arrival: at for arrival, at, event in found if event.startswith(ERASED)}
    rows = journal.execute(
        "SELECT e.place, e.arrival, e.at, e.event_digest, e.digest, e.event, m.id, m.digest, m.text"
        " FROM entries e LEFT JOIN messages m ON m.arrival = e.arrival ORDER BY e.place"
    )
    for found, arrival, at, event_digest, digest, event, message, message_digest, text in rows:
        place += 1
        if found != place:
            raise Broken(place, "it is missing")
        if message is None:
            raise Broken(place, "its message is missing")
        salt = salts.get(arrival)
        is_left = place < erased.get(arrival, 0)  # held to the entry that says what was erased
        if sealed(event, salt) != event_digest and (not is_left or event.startswith(ERASED)):
            raise Broken(place, "its event is not the one that was written")
        head = chained(head, place.to_bytes(8, "big"), message, at, event_digest)
        if head != digest:
            raise Broken(place, "its digest does not follow from the entry before")
        if expected.get(place, head) != head:
            raise Broken(place, "it is another one than the expected")
        if message.decode() == PLUGINS:
            continue
        told = json.loads(event)
        if told["what"] == "received":
            received.add(arrival)
            if bytes.fromhex(told["message"]) != message_digest:
                raise Broken(place, "its message is not the one that was received")
            if sealed(text, salt) != message_digest and not is_left:
                raise Broken(place, "its message is not the one that was received")
        elif arrival not in received:
            raise Broken(place, "its message was not received before")
        elif erased.get(arrival) == place:
            before = "SELECT event FROM entries WHERE arrival = ? AND place < ? ORDER BY place"
            left = [text, *(row[0] for row in journal.execute(before, (arrival, place)))]
            if chained(*left) != bytes.fromhex(told["left"]):
                raise Broken(place, "what is left of its message is not what was left")
    for kept in (row[0] for row in journal.execute("SELECT arrival FROM messages WHERE arrival > 0")):
        if kept not in received:
            raise Broken(place + 1, "a message is kept that no entry received")
    for table in ("status", "acted") if form >= WITH_PLUGINS else ("status",):
        told_of = journal.execute(f"SELECT max(last_place) FROM {table}").fetchone()[0] or 0
        if told_of > place:
            raise Broken(place + 1, f"`{table}` tells of entry {told_of}; the last entries were taken off")
    for missing in sorted(at for at in expected if at > place):
        raise Broken(missing, f"it is expected, and the journal ends at {place}")
    return place, head


def main(arguments: list[str]) -> int:
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    path, *heads = arguments
    try:
        expected = {int(place): bytes.fromhex(digest) for place, digest in (head.split(":") for head in heads)}
        uri = Path(path).resolve(strict=True).as_uri() + "?mode=ro"
        journal = sqlite3.connect(uri, uri=True)
        journal.text_factory = bytes  # what was digested are bytes
        (application,) = journal.execute("PRAGMA application_id").fetchone()
        (form,) = journal.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION:
            print(f"{path}: it is not a journal", file=sys.stderr)
            return 2
        if form not in KNOWN:
            print(f"{path}: its format is {form}, which this check does not know", file=sys.stderr)
            return 2
        entries, head = walk(journal, form, expected)
    except Broken as broken:
        place, why = broken.args
        print(f"{path}: NOT good at entry {place}: {why}")
        return 1
    except (OSError, sqlite3.OperationalError, ValueError, KeyError) as error:
        print(f"{path}: it cannot be checked: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except sqlite3.DatabaseError as error:
        print(f"{path}: the file is damaged: {error}")
        return 1
    print(f"{path}: good, format {form}, {entries} entries\nhead {entries}:{head.hex()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
