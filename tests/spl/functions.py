# SPDX-License-Identifier: Apache-2.0
"""Owns the functions of SPL's eval in the tests, but those that leave arguments unevaluated (see eval.py).

Authority: Splunk's Search Reference, Evaluation functions. An argument that is null makes the result null, unless the
function is about nulls. A function gets a multivalue only where it is documented to take one.
"""

from __future__ import annotations

import hashlib
import math
import re
from ipaddress import ip_address, ip_network
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import unquote

from tests.spl.times import format_time, parse_time, shift
from tests.spl.values import (
    Num,
    SplError,
    Value,
    as_number,
    compare,
    from_values,
    magnitude,
    need_number,
    need_whole,
    round_half_up,
    text_of,
    values_of,
    write_commas,
    write_duration,
)


class Function(NamedTuple):
    """A function, how many arguments it takes, and whether it sees nulls and multivalues itself."""

    call: Callable[..., Value]
    least: int
    most: int
    nulls: bool
    many: bool


FUNCTIONS: dict[str, Function] = {}
Maker = Callable[[Callable[..., Value]], Callable[..., Value]]


def function(names: str, least: int, most: int = 0, nulls: bool = False, many: bool = False) -> Maker:
    """Register a function of eval under its names."""

    def register(call: Callable[..., Value]) -> Callable[..., Value]:
        for name in names.split():
            FUNCTIONS[name] = Function(call, least, most or least, nulls, many)
        return call

    return register


def call_function(name: str, arguments: list[Value]) -> Value:
    """Return what a function gives for values."""
    found = FUNCTIONS[name]
    if not found.nulls and None in arguments:
        return None
    if not found.many and any(isinstance(value, list) for value in arguments):
        raise SplError(f"{name}() of a multivalue is not certain: {arguments!r}")
    return found.call(*arguments)


def check_arity(name: str, count: int) -> None:
    if name not in FUNCTIONS:
        raise SplError(f"unknown function {name}()")
    if not FUNCTIONS[name].least <= count <= FUNCTIONS[name].most:
        raise SplError(f"{name}() with {count} arguments")


# -- what kind of value


@function("null", 0, nulls=True)
def _null() -> Value:
    return None


@function("true", 0)
def _true() -> Value:
    return True


@function("false", 0)
def _false() -> Value:
    return False


@function("isnull", 1, nulls=True, many=True)
def _isnull(value: Value) -> Value:
    return value is None


@function("isnotnull", 1, nulls=True, many=True)
def _isnotnull(value: Value) -> Value:
    return value is not None


@function("typeof", 1, nulls=True)
def _typeof(value: Value) -> Value:
    if value is None or isinstance(value, bool):
        return "Invalid" if value is None else "Boolean"
    if is_endless(value) or (type(value) is str and as_number(value) is not None):
        raise SplError(f"whether Splunk takes the text {value!r} for a number is not certain")
    return "String" if as_number(value) is None else "Number"


def is_endless(value: Value) -> bool:
    """Whether a text is one such as info_max_time has it for all time."""
    return isinstance(value, str) and bool(re.fullmatch(r"\s*[+-]?(inf(inity)?|nan)\s*", value, re.I))


@function("isnum", 1, nulls=True)
def _isnum(value: Value) -> Value:
    return _typeof(value) == "Number"


@function("isstr", 1, nulls=True)
def _isstr(value: Value) -> Value:
    return _typeof(value) == "String"


@function("nullif", 2, nulls=True)
def _nullif(left: Value, right: Value) -> Value:
    return None if compare("=", left, right) else left


@function("in", 2, 1000)
def _in(value: Value, *others: Value) -> Value:
    return any(compare("=", value, other) for other in others)


# -- text


@function("match", 2)
def _match(value: Value, pattern: Value) -> Value:
    return bool(compile_regex(text_of(pattern, "match()")).search(text_of(value, "match()")))


def compile_regex(pattern: str) -> re.Pattern[str]:
    """PCRE and Python agree on what is used here; Python's own notations are refused."""
    if re.search(r"\(\?P[=>]|\\[gZ]|\[\[:|\(\?\||[*+?}]\+", pattern):
        raise SplError(f"PCRE and Python may read {pattern!r} differently")
    pattern = re.sub(r"\\x\{([0-9a-f]+)\}", lambda number: f"\\U{number[1]:0>8}", pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise SplError(f"regular expression {pattern!r}: {error}") from error


@function("like", 2)
def _like(value: Value, pattern: Value) -> Value:
    wild = {"%": ".*", "_": "."}
    parts = (wild.get(character, re.escape(character)) for character in text_of(pattern, "like()"))
    return bool(re.fullmatch("".join(parts), text_of(value, "like()"), re.S))


@function("replace", 3)
def _replace(value: Value, pattern: Value, replacement: Value) -> Value:
    new = text_of(replacement, "replace()")
    if re.search(r"\\(?!\d)|\$", new):
        raise SplError(f"unsupported replacement {new!r}")
    new = re.sub(r"\\(\d)", r"\\g<\1>", new)
    return compile_regex(text_of(pattern, "replace()")).sub(new, text_of(value, "replace()"))


@function("urldecode", 1)
def _urldecode(value: Value) -> Value:
    """Of bytes that are no UTF-8 nothing is documented."""
    try:
        return unquote(text_of(value, "urldecode()"), errors="strict")
    except UnicodeDecodeError as error:
        raise SplError(f"urldecode() of {value!r}: {error}") from error


@function("substr", 2, 3)
def _substr(value: Value, start: Value, length: Value = None) -> Value:
    """Positions begin at 1; negative ones count from the end."""
    text, first = text_of(value, "substr()"), need_whole(start, "substr()")
    if first == 0 or -first > len(text):
        raise SplError(f"substr() from position {first} is not documented")
    rest = text[first - 1 if first > 0 else first :]
    if length is None:
        return rest
    count = need_whole(length, "substr()")
    if count < 0:
        raise SplError(f"substr() of {count} characters is not documented")
    return rest[:count]


@function("len", 1)
def _len(value: Value) -> Value:
    return Num(len(text_of(value, "len()")))


@function("lower", 1)
def _lower(value: Value) -> Value:
    return text_of(value, "lower()").lower()


@function("upper", 1)
def _upper(value: Value) -> Value:
    return text_of(value, "upper()").upper()


@function("trim", 1, 2)
def _trim(value: Value, characters: Value = " \t") -> Value:
    return text_of(value, "trim()").strip(text_of(characters, "trim()"))


@function("ltrim", 1, 2)
def _ltrim(value: Value, characters: Value = " \t") -> Value:
    return text_of(value, "ltrim()").lstrip(text_of(characters, "ltrim()"))


@function("rtrim", 1, 2)
def _rtrim(value: Value, characters: Value = " \t") -> Value:
    return text_of(value, "rtrim()").rstrip(text_of(characters, "rtrim()"))


@function("md5", 1)
def _md5(value: Value) -> Value:
    return hashlib.md5(text_of(value, "md5()").encode(), usedforsecurity=False).hexdigest()


@function("cidrmatch", 2)
def _cidrmatch(network: Value, address: Value) -> Value:
    """False for what is no address, or one of the other family."""
    return in_network(text_of(network, "cidrmatch()"), text_of(address, "cidrmatch()"))


def in_network(network: str, address: str) -> bool:
    try:
        parsed = ip_network(network, strict=False)
    except ValueError as error:
        raise SplError(f"no network: {network!r}") from error
    try:
        return ip_address(address) in parsed
    except ValueError:
        return False


# -- numbers and text


@function("tonumber", 1, 2)
def _tonumber(value: Value, base: Value = None) -> Value:
    """Null for a text that is no number."""
    if base is not None:
        return parse_in_base(text_of(value, "tonumber()"), need_whole(base, "tonumber()"))
    if is_endless(value):
        raise SplError(f"what tonumber() gives for {value!r} is not certain")
    return as_number(value)


def parse_in_base(text: str, base: int) -> Optional[Num]:
    if not re.fullmatch(r"[0-9A-Za-z]+", text):
        raise SplError(f"tonumber() of {text!r} in base {base}")
    try:
        return Num(int(text, base))
    except ValueError:
        return None


@function("tostring", 1, 2, nulls=True)
def _tostring(value: Value, form: Value = "") -> Value:
    if value is None:
        raise SplError("what tostring() gives for null is not certain; guard it with if(isnotnull(...))")
    if isinstance(value, bool):
        return "True" if value else "False"
    if form == "":
        return text_of(value, "tostring()")
    forms: dict[Any, Callable[[Num], str]] = {"commas": write_commas, "duration": write_duration}
    if form not in forms:
        raise SplError(f"unknown format of tostring(): {form!r}")
    return forms[form](need_number(value, "tostring()"))


@function("printf", 1, 20)
def _printf(form: Value, *values: Value) -> Value:
    """The conversions %d %i %s %f with flags, width and precision as in C."""
    pattern, rest = text_of(form, "printf()"), list(values)

    def convert(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if not re.fullmatch(r"%[-0+]*\d*(?:\.\d+)?[disf]", match[0]) or not rest:
            raise SplError(f"printf() of {pattern!r}: {match[0]!r}")
        return format_one(match[0], rest.pop(0))

    written = re.sub(r"%[^A-Za-z%]*.?", convert, pattern)
    if rest:
        raise SplError(f"printf() of {pattern!r} with values left over")
    return written


def format_one(conversion: str, value: Value) -> str:
    kind = conversion[-1]
    if kind == "s":
        return conversion % text_of(value, "printf()")
    return conversion % (float(need_number(value, "printf()")) if kind == "f" else need_whole(value, "printf()"))


# -- numbers


@function("floor", 1)
def _floor(value: Value) -> Value:
    return Num(math.floor(need_number(value, "floor()")))


@function("ceil ceiling", 1)
def _ceiling(value: Value) -> Value:
    return Num(math.ceil(need_number(value, "ceiling()")))


@function("round", 1, 2)
def _round(value: Value, places: Value = None) -> Value:
    count = 0 if places is None else need_whole(places, "round()")
    rounded = round_half_up(need_number(value, "round()"), count)
    if count <= 0:
        return Num(rounded)
    return Num(rounded, max(1, count + magnitude(rounded)) if rounded else None, count)


@function("abs", 1)
def _abs(value: Value) -> Value:
    number = need_number(value, "abs()")
    return Num(abs(float(number)), number.digits)


@function("sqrt", 1)
def _sqrt(value: Value) -> Value:
    number = need_number(value, "sqrt()")
    if number < 0:
        raise SplError(f"sqrt() of {float(number)}")
    return Num(math.sqrt(number), number.digits)


@function("pow", 2)
def _pow(value: Value, exponent: Value) -> Value:
    base, power = need_number(value, "pow()"), need_whole(exponent, "pow()")
    if base == 0 and power < 0:
        raise SplError("pow() of zero to a negative number")
    return Num(float(base) ** power, base.digits)


@function("exact", 1)
def _exact(value: Value) -> Value:
    return Num(float(need_number(value, "exact()")))


@function("min", 1, 100, nulls=True, many=True)
def _min(*values: Value) -> Value:
    return extreme("min", values)


@function("max", 1, 100, nulls=True, many=True)
def _max(*values: Value) -> Value:
    return extreme("max", values)


def extreme(name: str, values: tuple[Value, ...]) -> Value:
    """Return the least or the greatest number, also of multivalues; nulls are skipped, texts refused."""
    numbers = [need_number(item, f"{name}()") for value in values for item in values_of(value)]
    if not numbers:
        return None
    return min(numbers) if name == "min" else max(numbers)


# -- times


@function("strftime", 2)
def _strftime(time: Value, pattern: Value) -> Value:
    return format_time(need_number(time, "strftime()"), text_of(pattern, "strftime()"))


@function("strptime", 2)
def _strptime(value: Value, pattern: Value) -> Value:
    time = parse_time(text_of(value, "strptime()"), text_of(pattern, "strptime()"))
    return None if time is None else Num(time)


@function("relative_time", 2)
def _relative_time(time: Value, modifier: Value) -> Value:
    return Num(shift(float(need_number(time, "relative_time()")), text_of(modifier, "relative_time()")))


# -- multivalues


def texts(value: Value, what: str) -> list[str]:
    return [text_of(item, what) for item in values_of(value)]


@function("split", 2)
def _split(value: Value, separator: Value) -> Value:
    mark = text_of(separator, "split()")
    if not mark:
        raise SplError("split() by an empty text")
    return from_values(text_of(value, "split()").split(mark))


@function("mvcount", 1, nulls=True, many=True)
def _mvcount(value: Value) -> Value:
    return None if value is None else Num(len(values_of(value)))


@function("mvindex", 2, 3, many=True)
def _mvindex(value: Value, start: Value, end: Value = None) -> Value:
    """Positions begin at 0, negative ones count from the end; the end is part of the range."""
    items, first = values_of(value), need_whole(start, "mvindex()")
    last = first if end is None else need_whole(end, "mvindex()")
    first, last = (position + len(items) if position < 0 else position for position in (first, last))
    if first < 0 or last < first:
        return None
    return from_values(items[first : last + 1])


@function("mvjoin", 2, many=True)
def _mvjoin(value: Value, separator: Value) -> Value:
    return text_of(separator, "mvjoin()").join(texts(value, "mvjoin()"))


@function("mvappend", 1, 100, nulls=True, many=True)
def _mvappend(*values: Value) -> Value:
    return from_values([text for value in values for text in texts(value, "mvappend()")])


@function("mvdedup", 1, many=True)
def _mvdedup(value: Value) -> Value:
    return from_values(list(dict.fromkeys(texts(value, "mvdedup()"))))


@function("mvsort", 1, many=True)
def _mvsort(value: Value) -> Value:
    return from_values(sorted(texts(value, "mvsort()")))


@function("mvzip", 2, 3, many=True)
def _mvzip(left: Value, right: Value, separator: Value = ",") -> Value:
    mark = text_of(separator, "mvzip()")
    return from_values([a + mark + b for a, b in zip(texts(left, "mvzip()"), texts(right, "mvzip()"))])


@function("mvrange", 2, 3)
def _mvrange(start: Value, end: Value, step: Value = Num(1)) -> Value:  # noqa: B008 - a number never changes
    """The end is left out."""
    first, last, width = (need_whole(value, "mvrange()") for value in (start, end, step))
    if width <= 0:
        raise SplError(f"mvrange() with the step {width}")
    return from_values([str(number) for number in range(first, last, width)])
