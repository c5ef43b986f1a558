# SPDX-License-Identifier: Apache-2.0
"""As much of SPL as the stand-in's own commands need: the pipe, words, eval of sums, where, stats by one field."""

from __future__ import annotations

import re

from tests.app.test_conf import evaluate

Event = dict[str, str]


def split_pipeline(search: str) -> list[str]:
    """The commands of a search; a pipe in quotes is none."""
    return [part.strip() for part in re.findall(r'(?:[^|"]|"(?:\\.|[^"\\])*")+', search) if part.strip()]


def split_arguments(text: str) -> list[str]:
    """The arguments of a command as splunkd hands them over: split at blanks outside quotes, quotes taken off."""
    words = re.findall(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+', text)
    return [re.sub(r'"((?:\\.|[^"\\])*)"', lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), word) for word in words]


def run_eval(text: str, event: Event) -> Event:
    """An event after `eval name="text"`, or after sums and quotients of its numbers."""
    literal = re.fullmatch(r'(\w+)="(.*)"', text)
    if literal:
        return {**event, literal[1]: literal[2]}
    numbers = {name: float(value) for name, value in event.items() if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value)}
    made = evaluate(f"eval {text}", numbers)
    return {**event, **{name: f"{value:.15g}" for name, value in made.items() if name not in numbers}}


def is_where(text: str, event: Event) -> bool:
    """Whether an event meets comparisons of a field with a number or a text, joined by AND."""
    for condition in text.split(" AND "):
        name, sign, wanted = re.fullmatch(r"(\w+) ?(<=|>=|<|>|=) ?(\S+)", condition).groups()  # type: ignore[union-attr]
        sides = (event[name], wanted.strip('"')) if '"' in wanted else (float(event[name]), float(wanted))
        order = (sides[0] > sides[1]) - (sides[0] < sides[1])  # type: ignore[operator]
        if order not in {"<=": (-1, 0), ">=": (0, 1), "<": (-1,), ">": (1,), "=": (0,)}[sign]:
            return False
    return True


def run_stats(text: str, events: list[Event]) -> list[Event]:
    """One event for each value of the field behind `by`, with `count` and `max(field)`."""
    functions, _, key = text.partition(" by ")
    rows = []
    for value in sorted({event[key] for event in events}):
        group = [event for event in events if event[key] == value]
        row = {key: value}
        for function in functions.split():
            name = re.sub(r"max\((\w+)\)", r"\1", function)
            row[function] = str(len(group)) if function == "count" else max((e[name] for e in group), key=float)
        rows.append(row)
    return rows
