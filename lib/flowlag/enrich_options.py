# SPDX-License-Identifier: Apache-2.0
"""Every option: its default with unit and source, what it may be, and the sentence that refuses anything else.

The same options serve the search command (`lag=30`) and the shell (`--lag 30`); contract section 2 names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Callable, NamedTuple, Optional

from flowlag.errors import SettingsError, show_value
from flowlag.fields import FIELD_VERSIONS, LAYOUTS, Layout, Names
from flowlag.interval import SECOND_US

#: Option names in the contract's order.
OPTIONS = (
    "lag", "interval", "phase", "windows", "time", "start", "end", "duration", "packets", "interface", "status",
    "format", "prefix",
)  # fmt: skip

#: AWS: `start` and `end` "might be up to 60 seconds after the packet was transmitted or received" (VPC User Guide).
DEFAULT_LAG_US = 60 * SECOND_US
#: 60 on Nitro instances and where one minute was chosen; 600 is AWS's default maximum elsewhere.
DEFAULT_INTERVAL_US = 60 * SECOND_US
#: Stamps are whole seconds, so a packet of second `end` may have passed until just before `end + 1`.
RESOLUTION_US = SECOND_US
#: An aggregation interval is ten minutes at most; a record of more than an hour is damaged.
LONGEST_RECORD_US = 3600 * SECOND_US
#: Windows are told apart with a tolerance of one second both ways (contract section 1).
TOLERANCE_US = SECOND_US

# What is read of a file, so that none can fill the memory, or take longer than its size justifies. Streams of any
# length are read: these limit what has to be held in one piece.
#: Bytes of one line of text, characters of one row of CSV. CloudWatch takes events of 1 MB, Firehose records of 1 MB.
LONGEST_LINE = 16 * 1024 * 1024
#: Characters of one JSON document: several hours of a busy log group in one answer of the AWS CLI.
LONGEST_DOCUMENT = 64 * 1024 * 1024
#: Levels of a JSON document: CloudTrail and OCSF, the deepest that AWS delivers, have about ten.
DEEPEST_DOCUMENT = 100
#: Characters that the events of one document get in all from what CloudWatch says of all of them: a few hundred each.
MOST_REPEATED = 256 * 1024 * 1024
#: Columns of CSV: AWS knows fewer than a hundred fields, exports of everything from Splunk some thousands.
MOST_COLUMNS = 10_000
#: What gzip, all its layers together, or Parquet may unpack to: so many times its size (flow logs reach 10 to 40), or
MOST_UNPACKED = 250
#: so many bytes, whatever their size.
FREE_UNPACKED = 64 * 1024 * 1024
#: Bytes of a row group of Parquet, unpacked: writers aim at 128 MB.
LARGEST_ROW_GROUP = 512 * 1024 * 1024
#: Bytes of a fixed-length value of Parquet: UUIDs have 16, decimals up to 32.
LONGEST_FIXED_VALUE = 65_536

WINDOWS = ("auto", "assumed", "none")
TIMES = ("keep", "start", "end", "estimate", "earliest", "latest")

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
_SPAN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)([a-z]*)")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\$\{([^${}\s]+)\}")


class Settings(NamedTuple):
    """What flowlagenrich was asked for. Times in microseconds; `layout` is set only when `format` names one."""

    lag_us: int = DEFAULT_LAG_US
    interval_us: int = DEFAULT_INTERVAL_US
    phase_us: Optional[int] = None
    windows: str = "auto"
    time: str = "keep"
    names: Names = Names()
    format: str = "auto"
    layout: Optional[Layout] = None
    prefix: str = "flowlag_"

    @property
    def reads_raw(self) -> bool:
        """Whether `_raw` may be read when the fields alone give no valid record."""
        return self.format != "none"

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, for Splunk's selected-fields mode."""
        return [*self.names.all(), *(["_raw"] if self.reads_raw else []), "_time"]


def parse_settings(pairs: Iterable[tuple[str, str]], command: str = "flowlagenrich") -> Settings:
    """Settings from (option, value) pairs as the user typed them, unquoted.

    Raises SettingsError, one sentence with option, value and what is allowed, for the first thing that is wrong.
    """
    return _settings_from(gather_options(pairs, OPTIONS, command))


def parse_arguments(arguments: Iterable[str], command: str = "flowlagenrich") -> Settings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_settings(split_arguments(arguments, command), command)


def gather_options(pairs: Iterable[tuple[str, str]], known: Sequence[str], command: str) -> dict[str, str]:
    """Option -> value; raises SettingsError for a name that is not `known` and for one that is given twice."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise SettingsError(
                f'{command} has no option "{show_value(name)}" (given: {show_value(f"{name}={value}")}); '
                f"it takes {', '.join(known)}."
            )
        if name in given:
            raise SettingsError(
                f'option {name} is given twice, "{show_value(given[name])}" and "{show_value(value)}"; give it once.'
            )
        given[name] = value
    return given


def split_arguments(arguments: Iterable[str], command: str) -> list[tuple[str, str]]:
    """(option, value) of each `name=value`; raises SettingsError for an argument without `=`."""
    pairs = []
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            raise SettingsError(
                f'{command} does not know what to do with "{show_value(argument)}"; '
                'write options as name=value, no blanks at "=".'
            )
        pairs.append((name, value))
    return pairs


def _settings_from(given: dict[str, str]) -> Settings:
    def read(name: str, default: str, parse: Callable[[str, str], int]) -> int:
        return parse(name, given.get(name, default))

    interval_us = read("interval", "60", _parse_interval)
    form = given.get("format", "auto")
    return Settings(
        lag_us=read("lag", "60", _parse_lag),
        interval_us=interval_us,
        phase_us=_parse_phase(given["phase"], interval_us) if "phase" in given else None,
        windows=parse_choice("windows", given.get("windows", "auto"), WINDOWS),
        time=parse_choice("time", given.get("time", "keep"), TIMES),
        names=_parse_names(given),
        format=form if form in ("auto", "none") else "layout",
        layout=None if form in ("auto", "none") else _parse_layout(form),
        prefix=parse_prefix(given.get("prefix", "flowlag_")),
    )


def refuse(name: str, value: str, allowed: str) -> SettingsError:
    """The error that refuses an option's value and says what is allowed."""
    return SettingsError(f'option {name}: "{show_value(value)}" is not allowed; give {allowed}.')


def parse_span(text: str) -> Optional[int]:
    """A span in microseconds: plain seconds or a Splunk time span such as `60s` or `1m`; None when it is none."""
    match = _SPAN.fullmatch(text)
    if match is None or match.group(2) not in _UNIT_US:
        return None
    whole, _, decimals = match.group(1).partition(".")
    span_us, rest = divmod(int(whole + decimals) * _UNIT_US[match.group(2)], 10 ** len(decimals))
    return None if rest else span_us


def _parse_lag(name: str, text: str) -> int:
    span_us = parse_span(text)
    if span_us is None or span_us > 3600 * SECOND_US:
        raise refuse(
            name, text, "0 to 3600 seconds with at most six decimals, plain (60, 0.5) or as a time span (60s, 1m)"
        )
    return span_us


def _parse_interval(name: str, text: str) -> int:
    span_us = parse_span(text)
    if span_us is None or not SECOND_US <= span_us <= 3600 * SECOND_US or span_us % SECOND_US:
        raise refuse(name, text, "whole seconds from 1 to 3600, plain (60, 600) or as a time span (60s, 10m)")
    return span_us


def _parse_phase(text: str, interval_us: int) -> int:
    interval_s = interval_us // SECOND_US
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) >= interval_s:
        raise refuse(
            "phase", text, f"a whole second from 0 to {interval_s - 1}, below the interval of {interval_s} seconds"
        )
    return int(text) * SECOND_US


def parse_choice(name: str, text: str, allowed: tuple[str, ...]) -> str:
    """`text` when it is one of `allowed`; else raises SettingsError."""
    if text not in allowed:
        raise refuse(name, text, f"one of {', '.join(allowed)}")
    return text


def parse_prefix(text: str) -> str:
    """`text` when it can begin a field's name; else raises SettingsError."""
    if not _PREFIX.fullmatch(text):
        raise refuse("prefix", text, "a letter followed by letters, digits or _, such as flowlag_")
    return text


def _parse_names(given: dict[str, str]) -> Names:
    replaced = {}
    for name in Names._fields:
        if name in given:
            if not given[name].strip():
                raise refuse(name, given[name], "the name of a field")
            replaced[name] = (given[name],)
    return Names()._replace(**replaced)


def _parse_layout(text: str) -> Layout:
    """A layout named by the user, or described by an AWS format string such as `${version} ${start} ${end}`."""
    if text in LAYOUTS:
        return LAYOUTS[text]
    words = text.split()
    columns = [match.group(1) for match in map(_PLACEHOLDER.fullmatch, words) if match]
    if not words or len(columns) < len(words):
        raise refuse(
            "format",
            text,
            f'auto, none, {", ".join(LAYOUTS)} or an AWS format string such as "${{version}} ${{start}} ${{end}}", '
            "one blank between its fields",
        )
    unknown = [column for column in columns if column not in FIELD_VERSIONS]
    if unknown:
        raise refuse("format", text, f"AWS flow log field names only; {show_value(', '.join(unknown))} is none")
    if len(set(columns)) < len(columns):
        raise refuse("format", text, "each field once")
    if not {"start", "end"} <= set(columns):
        raise refuse("format", text, "a format string that has ${start} and ${end}")
    return Layout("custom", columns)
