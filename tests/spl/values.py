# SPDX-License-Identifier: Apache-2.0
"""Owns the values of SPL in the tests: null, numbers with their precision, text, multivalues; and how two compare.

Authority: Splunk's Search Reference (eval: Usage, Rounding; Comparison functions). Where two readings of it would give
different answers for the data at hand, SplError is raised: these are tests, and a guess would be worth nothing.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Callable, Optional, Union

Value = Union[None, bool, "Num", str, list[str]]
Row = dict[str, Any]

PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
#: Read as numbers by some parsers and not by others.
ODD_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*|0[xX][0-9a-fA-F]+")
ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class SplError(Exception):
    """Something that this interpreter does not know, or that Splunk's documentation leaves open."""


class Field(str):
    """Text of a field of an event: Splunk takes it for a number when it looks like one, unlike text from eval."""


class Num(float):
    """A number, with the significant digits to which Splunk would round it on output (None: all).

    The product of 0.9 and 2 prints as 2 in Splunk, for 0.9 has one digit; whole numbers and exact() do not limit.
    `places` are the decimals that round() was asked for, or that were written: Splunk may pad with zeros up to there.
    """

    digits: Optional[int]
    places: int

    def __new__(cls, value: float, digits: Optional[int] = None, places: int = 0) -> Num:
        number = super().__new__(cls, value)
        number.digits, number.places = digits, places
        return number


def may_be_numeric(*texts: str) -> bool:
    return all(PLAIN_NUMBER.fullmatch(text) or ODD_NUMBER.fullmatch(text) for text in texts)


def looks_numeric(text: str) -> bool:
    if PLAIN_NUMBER.fullmatch(text):
        return True
    if ODD_NUMBER.fullmatch(text):
        raise SplError(f"whether Splunk reads {text!r} as a number is not certain")
    return False


def parse_number(text: str) -> Num:
    """Return the number that a text is; a decimal point limits its precision."""
    places = len(text.partition(".")[2])
    return Num(float(text), count_digits(text) if places else None, places)


def count_digits(text: str) -> int:
    """Return the number of significant digits; zeros behind the decimal point count, those in front of all do not."""
    return max(1, len(text.lstrip("-").replace(".", "").lstrip("0")))


def as_number(value: Value) -> Optional[Num]:
    """Return a value as a number where it is one or looks like one."""
    if isinstance(value, Num):
        return value
    return parse_number(value) if isinstance(value, str) and looks_numeric(value) else None


def need_number(value: Value, what: str) -> Num:
    number = as_number(value)
    if number is None:
        raise SplError(f"{what} needs a number, not {value!r}")
    return number


def need_whole(value: Value, what: str) -> int:
    number = need_number(value, what)
    if number != int(number):
        raise SplError(f"{what} needs a whole number, not {value!r}")
    return int(number)


def write_number(number: float) -> str:
    """Return a number as Splunk prints it: no point in whole ones, and never more digits than its inputs had."""
    if not math.isfinite(number):
        raise SplError(f"{number} has no place in a field")
    digits = getattr(number, "digits", None)
    shown = float(f"{number:.{digits}g}") if digits else float(number)
    if abs(shown - number) > 1e-12 * abs(number):
        raise SplError(f"Splunk would round {number!r} to {digits} significant digits; use exact() or round()")
    if shown == int(shown) and abs(shown) < 2**53:
        return str(int(shown))
    text = repr(shown)
    if "e" in text:
        raise SplError(f"how Splunk writes {text} is not certain")
    return text


def text_of(value: Value, what: str) -> str:
    """Return a value as text, within an expression."""
    if isinstance(value, str):
        return value
    if isinstance(value, Num):
        written = write_number(value)
        if len(written.partition(".")[2]) < value.places:
            raise SplError(f"whether Splunk pads {written} to {value.places} decimals is not certain; use printf()")
        return written
    raise SplError(f"{what} needs a single value, not {value!r}")


def plain_text(value: Any) -> str:
    """Return one value as it stands in a result table; round() is not padded there."""
    return write_number(value) if isinstance(value, float) else str(value)


def values_of(value: Value) -> list[Any]:
    """Return the values of a field: none, one, or those of a multivalue."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def from_values(values: list[str]) -> Value:
    """Return a multivalue; one value is a plain value, none is null."""
    if len(values) > 1:
        return values
    return values[0] if values else None


def compare(operator: str, left: Value, right: Value) -> Optional[bool]:
    """Return what a comparison of eval gives; null when a side is null."""
    if left is None or right is None:
        return None
    if isinstance(left, (bool, list)) or isinstance(right, (bool, list)):
        raise SplError(f"a comparison needs single values, not {left!r} {operator} {right!r}")
    if isinstance(left, str) and isinstance(right, str) and not both_numeric_fields(left, right):
        return compare_texts(operator, left, right)
    numbers = as_number(left), as_number(right)
    if None not in numbers:
        return ORDERINGS[operator](*numbers)
    if operator in ("=", "==", "!="):
        return operator == "!="
    raise SplError(f"the order of a number and a text is not certain: {left!r} {operator} {right!r}")


def both_numeric_fields(left: str, right: str) -> bool:
    fields = isinstance(left, Field) and isinstance(right, Field) and may_be_numeric(left, right)
    return fields and looks_numeric(left) and looks_numeric(right)


def compare_texts(operator: str, left: str, right: str) -> bool:
    """Compare as text; where both look like numbers, the numbers have to agree."""
    result = ORDERINGS[operator](left, right)
    if may_be_numeric(left, right) and ORDERINGS[operator](as_number(left), as_number(right)) != result:
        raise SplError(f"as text and as numbers {left!r} {operator} {right!r} differ; use tonumber()")
    return result


def calculate(operator: str, left: Value, right: Value) -> Value:
    """Return what an arithmetic operator gives; null when a side is null, or for a division by zero."""
    if left is None or right is None:
        return None
    if isinstance(left, (bool, list)) or isinstance(right, (bool, list)):
        raise SplError(f"arithmetic needs single values, not {left!r} {operator} {right!r}")
    if operator == ".":
        return text_of(left, "concatenation") + text_of(right, "concatenation")
    if operator == "+" and not (is_number_typed(left) and is_number_typed(right)):
        return add_texts(left, right)
    a, b = arithmetic_operand(left), arithmetic_operand(right)
    return None if a is None or b is None else ARITHMETIC[operator](a, b)


def is_number_typed(value: Value) -> bool:
    return isinstance(value, Num) or (isinstance(value, Field) and looks_numeric(value))


def add_texts(left: Value, right: Value) -> str:
    """`+` joins two texts; what it does with a text and a number is not documented."""
    for value in (left, right):
        if isinstance(value, (Num, Field)) or as_number(value) is not None:
            raise SplError(f"what + gives is not certain: {left!r} + {right!r}; use tonumber() or the operator .")
    return f"{left}{right}"


def arithmetic_operand(value: Value) -> Optional[Num]:
    """Return the number; a field that holds none makes the result null."""
    number = as_number(value)
    if number is None and not isinstance(value, Field):
        raise SplError(f"arithmetic on the text {value!r}")
    return number


def fewest_digits(*numbers: Num) -> Optional[int]:
    return min((number.digits for number in numbers if number.digits is not None), default=None)


def magnitude(number: float) -> int:
    return math.floor(math.log10(abs(number))) + 1


def sum_digits(result: float, *numbers: Num) -> Optional[int]:
    """Return the digits of a sum: what is limited there are the decimal places."""
    places = [number.digits - (magnitude(number) if number else 1) for number in numbers if number.digits is not None]
    return max(1, min(places) + magnitude(result)) if places and result else None


def multiply(a: Num, b: Num) -> Num:
    return Num(float(a) * float(b), fewest_digits(a, b))


def divide(a: Num, b: Num) -> Optional[Num]:
    return Num(float(a) / float(b), fewest_digits(a, b)) if b else None


def add(a: Num, b: Num) -> Num:
    """Return the sum; what only binary numbers make of the difference of two large ones is no digit of it."""
    total = float(a) + float(b)
    digits = sum_digits(total, a, b)
    written = float(f"{total:.{digits}g}") if digits else total
    noise = math.ulp(max(abs(a), abs(b)))
    return Num(written if abs(written - total) <= noise else total, digits)


def subtract(a: Num, b: Num) -> Num:
    return add(a, Num(-float(b), b.digits))


def remainder(a: Num, b: Num) -> Optional[Num]:
    """The sign of a remainder of negative numbers is not documented, nor are fractions."""
    if any(number < 0 or number != int(number) for number in (a, b)):
        raise SplError(f"what {a} % {b} gives is not documented")
    return Num(math.fmod(a, b)) if b else None


ARITHMETIC: dict[str, Callable[[Num, Num], Optional[Num]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": remainder,
}


# -- rounding and the forms of tostring


def round_half_up(number: float, places: int) -> float:
    """Halves go up; a half that is only one in decimal notation goes either way in Splunk (2.555 up, 16.275 down)."""
    written, binary = Decimal(repr(float(number))), Decimal(float(number))
    step = Decimal(1).scaleb(-places)
    if abs(written % step) * 2 == step and (binary != written or number < 0):
        raise SplError(f"which way Splunk rounds {written} to {places} places is not certain")
    return float(written.quantize(step, ROUND_HALF_UP))


def write_commas(number: Num) -> str:
    """Thousands separated; a fraction is rounded to two decimals, and zeros at its end are not certain."""
    if number == int(number) and not number.places:
        return f"{int(number):,}"
    text = f"{round_half_up(number, 2):,}"
    if not re.search(r"\.\d[1-9]$", text):
        raise SplError(f"how many decimals tostring() gives {number!r} is not certain; use printf()")
    return text


def write_duration(number: Num) -> str:
    """[D+]HH:MM:SS for whole seconds."""
    if number < 0 or number != int(number):
        raise SplError(f"tostring() gives the duration of {float(number)} in a form that is not certain")
    days, seconds = divmod(int(number), 86400)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{days}+{clock}" if days else clock
