# SPDX-License-Identifier: Apache-2.0
"""Owns the statistics of SPL in the tests: the functions of stats, eventstats and streamstats, and their arguments.

Authority: Splunk's Search Reference, Statistical and charting functions, and stats. Percentiles are those of the nearest
rank, as documented for up to 1000 distinct values; more of them are refused but for exactperc.
"""

from __future__ import annotations

import math
import re
from itertools import product
from typing import Any, Callable, NamedTuple, Optional

from tests.spl.eval import compile_expression
from tests.spl.values import Num, Row, SplError, Value, as_number, from_values, plain_text, values_of
from tests.spl.words import name_of, split_outside

Seen = list[tuple[Any, Any]]  # values, each with the _time of its row


class Aggregate(NamedTuple):
    """One statistic: the name of its column, and how it is made of rows."""

    name: str
    compute: Callable[[list[Row]], Value]


def parse_stats(text: str, now: float) -> tuple[list[Aggregate], list[str]]:
    """Return the statistics and the fields behind `by`."""
    words = [word for part in split_outside(text, ",") for word in split_outside(part, " ") if word]
    keys = [position for position, word in enumerate(words) if word.lower() == "by"]
    if len(keys) > 1 or (keys and keys[0] == len(words) - 1):
        raise SplError(f"by in {text!r}")
    by = [name_of(word) for word in words[keys[0] + 1 :]] if keys else []
    aggregates, rest = [], words[: keys[0]] if keys else words
    while rest:
        renamed = len(rest) > 2 and rest[1].lower() == "as"
        aggregates.append(parse_aggregate(rest[0], name_of(rest[2]) if renamed else None, now))
        rest = rest[3:] if renamed else rest[1:]
    check_names(text, [aggregate.name for aggregate in aggregates], by)
    return aggregates, by


def check_names(text: str, names: list[str], by: list[str]) -> None:
    if not names:
        raise SplError(f"no statistic in {text!r}")
    if len(set(names + by)) < len(names + by):
        raise SplError(f"two columns of one name in {text!r}")


def parse_aggregate(word: str, name: Optional[str], now: float) -> Aggregate:
    if word == "count":
        return Aggregate(name or "count", lambda rows: Num(len(rows)))
    match = re.fullmatch(r"([a-z]+)([\d.]*)\((.*)\)", word, re.S)
    if match is None:
        raise SplError(f"unknown statistic {word!r}")
    reduce = find_function(match[1], match[2])
    inner = match[3].strip()
    if inner.startswith("eval("):
        if name is None or not inner.endswith(")"):
            raise SplError(f"{word!r} needs a name with as")
        return Aggregate(name, evaluated(inner[5:-1], reduce, match[1] == "count", now))
    field = name_of(inner)
    return Aggregate(
        name or f"{match[1]}{match[2]}({field})", lambda rows: reduce(seen(rows, lambda row: row.get(field)))
    )


def evaluated(text: str, reduce: Callable[[Seen], Value], counts: bool, now: float) -> Callable[[list[Row]], Value]:
    """A condition counts where it is true; everywhere else it is refused, as no value comes of it."""
    expression = compile_expression(text, now)

    def value(row: Row) -> Value:
        found = expression(row)
        if isinstance(found, bool):
            if not counts:
                raise SplError(f"a condition where a value is needed: eval({text})")
            return Num(1) if found else None
        return found

    return lambda rows: reduce(seen(rows, value))


def seen(rows: list[Row], value: Callable[[Row], Value]) -> Seen:
    return [(item, row.get("_time")) for row in rows for item in values_of(value(row))]


def find_function(name: str, number: str) -> Callable[[Seen], Value]:
    if number:
        if name not in PERCENTILES or not 0 < float(number) < 100:
            raise SplError(f"unknown statistic {name}{number}()")
        return lambda found: PERCENTILES[name](found, float(number))
    if name not in FUNCTIONS:
        raise SplError(f"unknown statistic {name}()")
    return FUNCTIONS[name]


# -- the functions


def numbers_of(found: Seen) -> list[Num]:
    """Return the numbers among values; what is no number does not count."""
    return [number for number in (as_number(value) for value, _ in found) if number is not None]


def texts_of(found: Seen) -> list[str]:
    return [plain_text(value) for value, _ in found]


def total(found: Seen) -> Value:
    numbers = numbers_of(found)
    return Num(math.fsum(numbers)) if numbers else None


def average(found: Seen) -> Value:
    numbers = numbers_of(found)
    return Num(math.fsum(numbers) / len(numbers)) if numbers else None


def extreme(choose: Callable[[list[Any]], Any]) -> Callable[[Seen], Value]:
    """Numbers compare as numbers, texts as texts; both in one field are refused."""

    def run(found: Seen) -> Value:
        numbers = numbers_of(found)
        if numbers and len(numbers) < len(found):
            raise SplError(f"least and greatest of numbers and texts together: {texts_of(found)!r}")
        return (choose(numbers) if numbers else choose(texts_of(found))) if found else None

    return run


def spread(found: Seen) -> Value:
    numbers = numbers_of(found)
    return Num(float(max(numbers)) - float(min(numbers))) if numbers else None


def median(found: Seen) -> Value:
    """Which of the middle two it is for an even number is documented in more than one way."""
    numbers = sorted(numbers_of(found))
    if not numbers:
        return None
    low, high = numbers[(len(numbers) - 1) // 2], numbers[len(numbers) // 2]
    if low != high:
        raise SplError(f"the median of an even number of values is not certain: {float(low)} or {float(high)}")
    return Num(low)


def exact_percentile(found: Seen, percent: float) -> Value:
    numbers = sorted(numbers_of(found))
    return Num(numbers[max(0, math.ceil(round(percent * len(numbers) / 100, 9)) - 1)]) if numbers else None


def percentile(found: Seen, percent: float) -> Value:
    if len(set(numbers_of(found))) > 1000:
        raise SplError("perc() approximates more than 1000 values; use exactperc")
    return exact_percentile(found, percent)


def in_time(last: bool) -> Callable[[Seen], Value]:
    """The value with the least or the greatest _time."""

    def run(found: Seen) -> Value:
        if any(as_number(time) is None for _, time in found):
            raise SplError("earliest() and latest() need _time in every event")
        if not found:
            return None
        bound = (max if last else min)(float(time) for _, time in found)
        values = {plain_text(value): value for value, time in found if float(time) == bound}
        if len(values) > 1:
            raise SplError(f"several values at one time: {sorted(values)}")
        return next(iter(values.values()))

    return run


FUNCTIONS: dict[str, Callable[[Seen], Value]] = {
    "count": lambda found: Num(len(found)),
    "sum": total,
    "avg": average,
    "mean": average,
    "min": extreme(min),
    "max": extreme(max),
    "range": spread,
    "median": median,
    "dc": lambda found: Num(len(set(texts_of(found)))),
    "values": lambda found: from_values(sorted(set(texts_of(found)))),
    "list": lambda found: from_values(texts_of(found)[:100]),
    "first": lambda found: found[0][0] if found else None,
    "last": lambda found: found[-1][0] if found else None,
    "earliest": in_time(False),
    "latest": in_time(True),
}
PERCENTILES: dict[str, Callable[[Seen, float], Value]] = {
    "perc": percentile,
    "p": percentile,
    "exactperc": exact_percentile,
}


# -- groups


def group_rows(rows: list[Row], by: list[str]) -> dict[tuple[str, ...], list[Row]]:
    """Return the rows of each combination of values; rows without one of the fields belong to none.

    The groups are in the order of their values. That Splunk gives them so is not documented: sort where it matters.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        for key in keys_of(row, by):
            groups.setdefault(key, []).append(row)
    return {key: groups[key] for key in sorted(groups, key=lambda key: [group_order(text) for text in key])}


def keys_of(row: Row, by: list[str]) -> list[tuple[str, ...]]:
    """A multivalue puts its row into the group of each of its values."""
    return list(product(*([*dict.fromkeys(map(plain_text, values_of(row.get(name))))] for name in by)))


def group_order(text: str) -> tuple[int, float, str]:
    return (0, float(text), "") if re.fullmatch(r"-?\d+(\.\d+)?", text) else (1, 0.0, text)
