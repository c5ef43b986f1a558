# SPDX-License-Identifier: Apache-2.0
"""Owns the expressions of the search command in the tests: terms, comparisons of fields, and their precedence.

Authority: Splunk's Search Reference (search) and Search Manual (Boolean expressions: NOT, then OR, then AND; Difference
between != and NOT; Event segmentation). Values compare without regard to case; `*` is any text.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Any, Callable, Optional

from tests.spl.functions import in_network
from tests.spl.values import ORDERINGS, Row, SplError, looks_numeric, may_be_numeric, plain_text, values_of

Predicate = Callable[[Row], bool]
TOKENS = re.compile(r'\s*("(?:[^"\\]|\\.)*"|!=|<=|>=|[=<>(),]|[^\s"()\[\]=<>!,|\']+)|\s*$', re.S)
MAJOR = re.escape("[]<>(){}|!;,'\"*\n\r \t&?+")
MINOR = re.escape("/:=@.-$#%\\_")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
TIMES = ("earliest", "latest")


def compile_search(text: str, times: Optional[dict[str, str]] = None) -> Predicate:
    """Return a search expression as a predicate; earliest= and latest= go into `times`, and are refused without it."""
    return Parser(text, times).whole()


class Parser:
    """Reads one search expression."""

    def __init__(self, text: str, times: Optional[dict[str, str]]) -> None:
        self.text, self.times = text, times
        self.tokens, self.position = tokenize(text), 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def error(self, what: str) -> SplError:
        return SplError(f"{what}, found {self.peek() or 'the end'!r} in the search {self.text!r}")

    def whole(self) -> Predicate:
        if not self.tokens:
            return lambda row: True
        predicate = self.all_of()
        if self.peek():
            raise self.error("a term expected")
        return predicate

    def all_of(self) -> Predicate:
        """AND is the loosest, and stands between any two terms."""
        parts = [self.any_of()]
        while self.peek() and self.peek() != ")":
            if self.peek() == "AND":
                self.take()
            parts.append(self.any_of())
        return lambda row: all(part(row) for part in parts)

    def any_of(self) -> Predicate:
        before = dict(self.times or {})
        parts = [self.negation()]
        while self.peek() == "OR":
            self.take()
            parts.append(self.negation())
        if len(parts) > 1 and before != (self.times or {}):
            raise SplError(f"a time range within OR in {self.text!r}")
        return lambda row: any(part(row) for part in parts)

    def negation(self) -> Predicate:
        if self.peek() != "NOT":
            return self.term()
        self.take()
        before = dict(self.times or {})
        inner = self.negation()
        if before != (self.times or {}):
            raise SplError(f"a time range within NOT in {self.text!r}")
        return lambda row: not inner(row)

    def term(self) -> Predicate:
        token = self.take()
        if token == "(":
            inner = self.all_of()
            if self.take() != ")":
                raise self.error(") expected")
            return inner
        if (
            not token
            or token in (*COMPARISONS, ")", ",", "AND", "OR", "IN")
            or token.lower() in ("and", "or", "not", "in")
        ):
            self.position -= 1
            raise self.error("a term expected")
        if self.peek() in COMPARISONS:
            return self.comparison(token, self.take())
        if self.peek() == "IN":
            return self.membership(token)
        return match_term(token)

    def value(self) -> str:
        token = self.take()
        if not token or token in (*COMPARISONS, "(", ")", ","):
            raise self.error("a value expected")
        return unquote(token)

    def comparison(self, name: str, operator: str) -> Predicate:
        value = self.value()
        if self.peek() in COMPARISONS:
            raise self.error(f"{name}{operator}{value} needs quotes")
        if name in TIMES or name.startswith("_index_"):
            return self.time_term(name, operator, value)
        return compare_field(field_name(name), operator, value)

    def time_term(self, name: str, operator: str, value: str) -> Predicate:
        if self.times is None or name not in TIMES or operator != "=" or name in self.times:
            raise SplError(f"{name}{operator}{value} cannot be used here")
        self.times[name] = value
        return lambda row: True

    def membership(self, name: str) -> Predicate:
        self.take()
        if self.take() != "(":
            raise self.error("( expected")
        tests = [compare_field(field_name(name), "=", self.value())]
        while self.peek() == ",":
            self.take()
            tests.append(compare_field(field_name(name), "=", self.value()))
        if self.take() != ")":
            raise self.error(") expected")
        return lambda row: any(test(row) for test in tests)


def tokenize(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        match = TOKENS.match(text, position)
        if match is None:
            raise SplError(f"cannot read {text[position:]!r} in the search {text!r}")
        if match[1] is not None:
            tokens.append(match[1])
        position = match.end()
    return tokens


def unquote(token: str) -> str:
    if not token.startswith('"'):
        if "\\" in token:
            raise SplError(f"a backslash outside quotes: {token!r}")
        return token
    if re.search(r'\\[^"\\]', token.replace("\\\\", "")):
        raise SplError(f"unknown escape in {token}")
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def field_name(token: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w.{}:-]*", token):
        raise SplError(f"unsupported field name {token!r} in a search")
    return token


# -- terms


def match_term(token: str) -> Predicate:
    """A word or phrase of _raw, whole: breakers or the ends stand on both sides of it."""
    if re.fullmatch(r"(?:TERM|CASE|PREFIX)|.*::.*", token):
        raise SplError(f"unsupported term {token!r}")
    term = unquote(token)
    if term == "*":
        return lambda row: True
    pattern = term_pattern(term)
    return lambda row: any(pattern.search(str(raw)) for raw in values_of(row.get("_raw")))


def term_pattern(term: str) -> re.Pattern[str]:
    core = term.strip("*")
    if not core or "*" in core:
        raise SplError(f"a wildcard within the term {term!r} is not supported")
    letter = f"[^{MAJOR}{MINOR}]"
    if term != core and not re.fullmatch(f"{letter}+", core):
        raise SplError(f"a wildcard in a term with punctuation: {term!r}")
    start = "" if term.startswith("*") else f"(?<!{letter})"
    end = "" if term.endswith("*") else f"(?!{letter})"
    return re.compile(start + re.escape(core) + end, re.I)


# -- comparisons of fields


def compare_field(name: str, operator: str, value: str) -> Predicate:
    if operator in ("=", "!="):
        return equality(name, value, operator == "=")
    if "*" in value:
        raise SplError(f"a wildcard in {name}{operator}{value}")
    return lambda row: any(ordered(plain_text(item), operator, value) for item in values_of(row.get(name)))


def equality(name: str, value: str, wanted: bool) -> Predicate:
    """Without the field neither = nor != holds."""
    if value == "" or (value == "*" and not wanted):
        raise SplError(f"what {name}{'=' if wanted else '!='}{value or chr(34) * 2} finds is not documented")
    test = value_test(value)

    def run(row: Row) -> bool:
        found = {test(plain_text(item)) for item in values_of(row.get(name))}
        if not wanted and len(found) > 1:
            raise SplError(f"{name}!={value} of a multivalue that has it among others is not certain")
        return wanted in found

    return run


def value_test(value: str) -> Callable[[str], bool]:
    if is_network(value):
        return lambda text: in_network(value, text) or text == value
    if "*" in value:
        pattern = re.compile(".*".join(map(re.escape, value.split("*"))), re.I | re.S)
        return lambda text: bool(pattern.fullmatch(text))
    return lambda text: equal(text, value)


def equal(text: str, value: str) -> bool:
    """Whether search takes 1.0 for 1 is not documented."""
    same = text.lower() == value.lower()
    if same or not may_be_numeric(text, value):
        return same
    if looks_numeric(text) and looks_numeric(value) and float(text) == float(value):
        raise SplError(f"whether {text} equals {value} in a search is not certain")
    return False


def is_network(value: str) -> bool:
    try:
        return "/" in value and bool(ip_network(value, strict=False))
    except ValueError:
        return False


def ordered(text: str, operator: str, value: str) -> bool:
    """Numbers compare as numbers; a text beside a number only where as text it does not hold either."""
    test: Callable[[Any, Any], bool] = ORDERINGS[operator]
    if looks_numeric(text) and looks_numeric(value):
        return test(float(text), float(value))
    if looks_numeric(text) == looks_numeric(value) or not test(text, value):
        return test(text, value)
    raise SplError(f"the order of {text!r} and {value!r} in a search is not certain")
