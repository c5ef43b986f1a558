# SPDX-License-Identifier: Apache-2.0
"""What an option of a command is, and what an output field is. Each is declared once; everything else is made from it.

An option's declaration gives its parser, the sentence that refuses a value, the shell's `--help`, the help of Splunk's
search assistant and the tables of docs/. A field's declaration gives its name in the output, the same help and the same
tables. The texts are Markdown with code in backticks, which `plain` removes.
"""

# Each search imports this module. So annotations are not strings (a NamedTuple compiles each of them), and a regular
# expression is compiled only when a value needs it.
import re
from collections.abc import Iterable, Mapping
from typing import Any, Callable, NamedTuple, Optional

from flowlag.errors import SettingsError, show_value
from flowlag.interval import SECOND_US

REQUIRED = "required"


class NotAllowed(ValueError):
    """A text is not a value of an option; the message says what is allowed, if that is more than the option says."""


class Option(NamedTuple):
    """An option. `form` is its value in the syntax; `default` is what one would type, or None (then `unset` says more).

    `allowed` completes "give ...", `meaning` is one sentence or more, `parse` turns a text into a value or raises
    NotAllowed. `separator` stands between several values in one text; in the shell such an option can be repeated.
    """

    name: str
    form: str
    default: Optional[str]
    allowed: str
    meaning: str
    parse: Callable[[str], Any]
    unset: str = "not set"
    separator: str = ""

    @property
    def initial(self) -> Any:
        """The value if the option is not given; None if it has no default."""
        return None if self.default is None else self.parse(self.default)

    def read(self, text: str) -> Any:
        """The value of a text; raises SettingsError, one sentence with option, value and what is allowed."""
        try:
            return self.parse(text)
        except NotAllowed as error:
            raise refuse(self.name, text, str(error) or self.allowed) from None


class Field(NamedTuple):
    """An output field: its unit (`word` for text), its meaning, and when it is empty."""

    name: str
    unit: str
    meaning: str
    empty_when: str = "never"


# -- how the options of a command are read


def split_arguments(arguments: Iterable[str], command: str) -> list[tuple[str, str]]:
    """(option, value) of each `name=value`; raises SettingsError for an argument without `=`."""
    pairs: list[tuple[str, str]] = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise SettingsError(
                f'"{show_value(argument)}" is no option of {command}; write options as name=value, no blanks at "=".'
                f"{_hint(pairs[-1][0]) if pairs else ''}"
            )
        pairs.append((name, value))
    return pairs


def _hint(name: str) -> str:
    """Splunk splits arguments at blanks and commas, so the rest of a value without quotes comes alone."""
    return f' If it belongs to the value of {show_value(name)}, put all of that in quotes: {show_value(name)}="...".'


def gather_options(pairs: Iterable[tuple[str, str]], options: Iterable[Option], command: str) -> dict[str, str]:
    """Option -> text; raises SettingsError for an unknown name and for a name that is given twice."""
    known = {option.name: "," in option.form for option in options}  # whether its value is a list
    given: dict[str, str] = {}
    last = ""
    for name, value in pairs:
        if name not in known:
            raise SettingsError(
                f'there is no option "{show_value(name)}" (given: {show_value(f"{name}={value}")}); '
                f"{command} takes {', '.join(known)}.{_hint(last) if known.get(last) else ''}"
            )
        if name in given:
            raise SettingsError(
                f'option {name} is given twice, "{show_value(given[name])}" and "{show_value(value)}"; give it once.'
            )
        given[name] = value
        last = name
    return given


def read_options(given: Mapping[str, str], options: Iterable[Option]) -> dict[str, Any]:
    """Option -> the value of the text given, else of the default; None if there is neither."""
    return {
        option.name: option.read(given[option.name]) if option.name in given else option.initial for option in options
    }


def refuse(name: str, value: str, allowed: str) -> SettingsError:
    """The error that refuses an option's value and says what is allowed."""
    return SettingsError(f'option {name}: "{show_value(value)}" is not allowed; give {plain(allowed)}.')


def describe(option: Option) -> str:
    """Everything there is to say about an option, in plain sentences."""
    default = "Required" if option.unset == REQUIRED else f"Default: {option.default or option.unset}"
    return plain(f"{option.meaning} Allowed: {option.allowed}. {default}.")


def plain(text: str) -> str:
    """A text without the backticks of Markdown."""
    return text.replace("`", "")


# -- kinds of values


def choice(name: str, words: Iterable[str], default: Optional[str], meaning: str, unset: str = "not set") -> Option:
    """An option whose value is one of a few words."""
    words = tuple(words)
    allowed = f"one of {', '.join(f'`{word}`' for word in words)}"

    def parse(text: str) -> str:
        if text not in words:
            raise NotAllowed
        return text

    return Option(name, f"({'|'.join(words)})", default, allowed, meaning, parse, unset)


def field_name(name: str, meaning: str, default: Optional[str] = None, unset: str = "not set") -> Option:
    """An option whose value is the name of a field."""
    return Option(name, "<field>", default, "the name of a field", meaning, _parse_field_name, unset)


def count(name: str, default: str, meaning: str) -> Option:
    """An option whose value is a number of things."""
    return Option(name, "<int>", default, "a whole number from 1 to 999999999", meaning, _parse_count)


def truth(name: str, default: str, meaning: str) -> Option:
    """An option whose value is true or false."""
    return Option(name, "<bool>", default, "true or false", meaning, _parse_truth)


def prefix(meaning: str) -> Option:
    """The option `prefix`."""
    allowed = "a letter followed by letters, digits or `_`, such as `flowlag_`"
    return Option("prefix", "<string>", "flowlag_", allowed, meaning, _parse_prefix)


def _parse_field_name(text: str) -> str:
    if not text.strip():
        raise NotAllowed
    return text


def _parse_count(text: str) -> int:
    number = parse_digits(text)
    if not number:
        raise NotAllowed
    return number


_TRUTH = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}


def _parse_truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise NotAllowed
    return _TRUTH[text.lower()]


def _parse_prefix(text: str) -> str:
    if not (text.isascii() and text[:1].isalpha() and text.replace("_", "a").isalnum()):
        raise NotAllowed
    return text


def parse_digits(text: str) -> int:
    """A whole number of at most nine digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise NotAllowed
    return int(text)


_SPAN = r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([a-z]*)"
_UNITS_US = {
    1: ("us",),
    1000: ("ms",),
    10_000: ("cs",),
    100_000: ("ds",),
    SECOND_US: ("", "s", "sec", "secs", "second", "seconds"),
    60 * SECOND_US: ("m", "min", "mins", "minute", "minutes"),
    3600 * SECOND_US: ("h", "hr", "hrs", "hour", "hours"),
}
_UNIT_US = {name: size for size, names in _UNITS_US.items() for name in names}


def parse_span(text: str) -> int:
    """A span in microseconds: plain seconds or a Splunk time span such as `60s` or `1m`."""
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text) * SECOND_US
    match = re.fullmatch(_SPAN, text)
    if match is None or match.group(2) not in _UNIT_US:
        raise NotAllowed
    whole, _, decimals = match.group(1).partition(".")
    divisor: int = 10 ** len(decimals)
    span_us, rest = divmod(int(whole + decimals) * _UNIT_US[match.group(2)], divisor)
    if rest:
        raise NotAllowed
    return span_us
