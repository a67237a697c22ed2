"""What every plugin in Python needs of the contract: faults, exact numbers, entities by
their name alone, and the net under each function. Copy it beside your own."""

import dataclasses
import decimal
import functools
import traceback
from datetime import date, timedelta
from typing import get_origin, get_type_hints

from componentize_py_types import Err
from wit_world.imports import canonical, types

# as many digits as any number of the contract needs: nothing is rounded on the way
decimal.getcontext().prec = 60
MOST = 2**53 - 1


def invalid(field, rule):
    """The input breaks a rule: the field's path and never its value, and what a person has to put right."""
    return Err(types.Fault_Invalid(types.Violation(field, rule)))


def waiting(entity):
    """The input refers to an entity that is not there yet."""
    return Err(types.Fault_Waiting(entity))


def unhandled(reason):
    """This is not for this plugin."""
    return Err(types.Fault_Unhandled(reason))


def broken(text):
    """The plugin itself cannot go on."""
    return Err(types.Fault_Broken(text))


def answering(function):
    """Turns what was not expected into `broken`: as an exception it would reach the host as a
    trap without a word. Put it on each function of the contract."""

    @functools.wraps(function)
    def answer(*arguments):
        try:
            return function(*arguments)
        except Err:
            raise
        except Exception:
            raise broken(traceback.format_exc()) from None

    return answer


def _lists(kind):
    hints = get_type_hints(kind)
    return {it.name: get_origin(hints[it.name]) is list for it in dataclasses.fields(kind)}


# what stands at the level of a module is worked out once, when the component is built: looking
# at types in each call would take most of its time
LISTS = {kind: _lists(kind) for kind in vars(canonical).values() if dataclasses.is_dataclass(kind)}


def entity(kind, **fields):
    """A record of the contract of which nothing is said but `fields`: the generated classes have no
    defaults, so that each option would have to be written out."""
    return kind(**({name: [] if is_list else None for name, is_list in LISTS[kind].items()} | fields))


def exact(number):
    """The contract's number from Python's; none where it has more digits than the contract carries."""
    sign, digits, exponent = number.as_tuple()
    units = int("".join(map(str, digits))) * (-1 if sign else 1) * 10 ** max(exponent, 0)
    scale = max(-exponent, 0)
    return types.Decimal(units, scale) if abs(units) <= MOST and scale <= 18 else None


def value(number):
    """Python's number from the contract's."""
    return decimal.Decimal(number.units).scaleb(-number.scale)


def is_day(text):
    """Whether a text is a day as the contract writes it."""
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def days_after(day, days):
    """The day so many days after a day."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
