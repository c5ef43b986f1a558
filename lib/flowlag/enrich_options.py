# SPDX-License-Identifier: Apache-2.0
"""The options of flowlagenrich, each declared once, and the settings that are made of them.

The same options serve the search command (`lag=30`) and the shell (`--lag 30`). Authority: docs/enrich.md, Options.
"""

import re  # and no annotations as strings: see options.py
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Optional

from flowlag.errors import SettingsError, show_value
from flowlag.fields import FIELD_VERSIONS, Names
from flowlag.interval import SECOND_US
from flowlag.layouts import LAYOUTS, SKIPPED, Layout
from flowlag.options import (
    NotAllowed,
    Option,
    choice,
    field_name,
    gather_options,
    parse_digits,
    parse_span,
    prefix,
    read_options,
    refuse,
    split_arguments,
    truth,
)
from flowlag.words import is_name

#: What stands between the layouts of `format`.
FORMAT_SEPARATOR = ";"
_LONGEST_US = 3600 * SECOND_US


def _parse_lag(text: str) -> int:
    span_us = parse_span(text)
    if span_us > _LONGEST_US:
        raise NotAllowed
    return span_us


def _parse_interval(text: str) -> int:
    span_us = parse_span(text)
    if not SECOND_US <= span_us <= _LONGEST_US or span_us % SECOND_US:
        raise NotAllowed
    return span_us


def _phase_us(text: str, interval_us: int) -> int:
    interval_s = interval_us // SECOND_US
    allowed = f"a whole second from 0 to {interval_s - 1}, below the interval of {interval_s} seconds"
    try:
        phase_s = parse_digits(text)
    except NotAllowed:
        raise refuse("phase", text, allowed) from None
    if phase_s >= interval_s:
        raise refuse("phase", text, allowed)
    return phase_s * SECOND_US


class Format(NamedTuple):
    """What `format` says of `_raw`: whether it is read, and in which layouts (none: in one that it shows)."""

    reads_raw: bool = True
    layouts: tuple[Layout, ...] = ()


def _parse_format(text: str) -> Format:
    if text in ("auto", "none"):
        return Format(text == "auto")
    return Format(True, tuple(_find_layout(item.strip()) for item in text.split(FORMAT_SEPARATOR)))


def _find_layout(text: str) -> Layout:
    if text in ("auto", "none"):
        raise NotAllowed(f"`{text}` alone, or layouts only")
    return LAYOUTS[text] if text in LAYOUTS else _parse_layout(text)


def _parse_layout(text: str) -> Layout:
    """A layout described by an AWS format string such as `${version} ${start} * ${end}`."""
    if "$${" in text:
        raise NotAllowed("one dollar sign before each name, not two (`${start}`); Terraform and dashboards double it")
    words = text.split()
    columns = [SKIPPED if word == SKIPPED else _name_in(word) for word in words]
    if not words or None in columns:
        raise NotAllowed
    names = [column for column in columns if column and column != SKIPPED]
    odd = [name for name in names if not is_name(name)]
    if odd:
        raise NotAllowed(f"names of lower case letters, digits and `-`; {show_value(', '.join(odd))} is none")
    if len(set(names)) < len(names):
        raise NotAllowed("each field once, and `*` for a column to skip")
    if not {"start", "end"} <= set(names):
        raise NotAllowed("a format string that has ${start} and ${end}")
    return Layout("custom", [column or "" for column in columns])


def _name_in(word: str) -> Optional[str]:
    """The name of a field in a format string, None if the word is none."""
    match = re.fullmatch(r"\$\{([^${}\s]+)\}", word)
    return match and match.group(1)


#: AWS: `start` and `end` "might be up to 60 seconds after the packet was transmitted or received" (VPC User Guide).
LAG = Option(
    "lag",
    "<span>",
    "60",
    "0 to 3600 seconds with at most six decimals, plain (60, 0.5) or as a time span (60s, 1m)",
    "The longest time between a packet and its stamp.",
    _parse_lag,
)
#: 60 on Nitro instances and where one minute was chosen; 600 is AWS's default maximum elsewhere.
INTERVAL = Option(
    "interval",
    "<span>",
    "60",
    "whole seconds from 1 to 3600, plain (60, 600) or as a time span (60s, 10m)",
    "The aggregation interval: 60 on Nitro instances and where one minute was chosen, else 600 unless you chose "
    "otherwise. It matters for windows only, never for the bounds.",
    _parse_interval,
)
PHASE = Option(
    "phase",
    "<int>",
    None,
    "a whole second from 0, below `interval`",
    "The second within `interval` at which an aggregation window opens. With `interval=10m phase=66`, one opens at "
    "00:01:06, 00:11:06 and so on (UTC).",
    str,  # it is judged together with the interval
)
WINDOWS = choice(
    "windows",
    ("auto", "assumed", "none"),
    "auto",
    "Which windows to give: `auto` known ones only (by `phase`, learned with flowlagprofile, or of a record that fills "
    "its window); `assumed` also takes the end of a record as the end of its window when none is known; `none` leaves "
    "the window fields empty.",
)
TIME = choice(
    "time",
    ("keep", "start", "end", "estimate", "earliest", "latest", "likely"),
    "keep",
    "What to put in `_time`: `keep` leaves it as it is (an event without one gets its start); `estimate` puts in the "
    "middle of the bounds; `likely` that of the likely bounds, for which it needs `confidence`; the others name what "
    "they put in.",
)


def _known(names: Iterable[str]) -> str:
    return f"`{next(iter(names))}` and other known names"


#: The options that name the field of a value, in place of the names known for it.
FIELD_OPTIONS = (
    field_name("start", "Where the start is. A name given here replaces the known ones.", unset=_known(Names().start)),
    field_name("end", "Where the end is.", unset=_known(Names().end)),
    field_name(
        "duration",
        "A field with seconds, such as the CIM's, from which a missing end is made (end = start + duration). None is "
        "taken unasked, since OCSF counts milliseconds.",
    ),
    field_name("packets", "Where the number of packets is.", unset=_known(Names().packets)),
    field_name("interface", "Where the network interface is.", unset=_known(Names().interface)),
    field_name("status", "Where the log status is.", unset=_known(Names().status)),
)
FORMAT = Option(
    "format",
    f'({"|".join(("auto", "none", *LAYOUTS))}|"<string>")',
    "auto",
    f"`auto`, `none`, {', '.join(f'`{name}`' for name in LAYOUTS)} or an AWS format string such as "
    '`"${version} ${start} ${end}"`, one blank between its fields and `*` for a column to skip; or several layouts '
    f"with `{FORMAT_SEPARATOR}` between them",
    "How to read `_raw` when the fields alone give no valid record: `auto` knows the usual layouts by their exact "
    "shape and others by their content, a name stands for one of them, a format string describes another, and `none` "
    "never reads it, which is fastest. Of several layouts the first counts that gives a valid record.",
    _parse_format,
    separator=FORMAT_SEPARATOR,
)
PREFIX = prefix("What the names of the output fields begin with.")
CONFIDENCE = choice(
    "confidence",
    ("95", "99", "99.9"),
    None,
    "How many percent of connections are to have been opened within the likely bounds, which are added then: from the "
    "lags that flowlaglearn learned of the record's interface or, where nothing holds, the bounds themselves.",
)
COMMUNITY = truth(
    "community",
    "false",
    "Whether to add the Community ID of each flow, by which it joins events of Zeek, Suricata and other monitors.",
)

#: In the order of the docs.
ENRICH_OPTIONS = (LAG, INTERVAL, PHASE, WINDOWS, TIME, *FIELD_OPTIONS, FORMAT, PREFIX, CONFIDENCE, COMMUNITY)


class Settings(NamedTuple):
    """What flowlagenrich was asked for. Times in microseconds; `layouts` are those that `format` gives."""

    lag_us: int = LAG.initial
    interval_us: int = INTERVAL.initial
    phase_us: Optional[int] = None
    windows: str = WINDOWS.initial
    time: str = TIME.initial
    names: Names = Names()
    reads_raw: bool = FORMAT.initial.reads_raw
    layouts: tuple[Layout, ...] = FORMAT.initial.layouts
    prefix: str = PREFIX.initial
    community: bool = COMMUNITY.initial
    confidence: Optional[str] = CONFIDENCE.initial

    @property
    def guesses_layout(self) -> bool:
        """Whether `_raw` is read in any layout that it shows."""
        return self.reads_raw and not self.layouts

    @property
    def unknown_columns(self) -> list[str]:
        """The columns that `format` names and this release does not know, each once."""
        names = dict.fromkeys(name for layout in self.layouts for name in layout.columns)
        return [name for name in names if name not in FIELD_VERSIONS and name != SKIPPED]

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, each once, for Splunk's selected-fields mode."""
        names = list(dict.fromkeys([*self.names.all(), *(["_raw"] if self.reads_raw else []), "_time"]))
        if not self.community:
            return names
        from flowlag import five_tuple as known  # only a search that asks for it pays for the import

        ends = (*known.SRC_NAMES, *known.SRC_PORT_NAMES, *known.DEST_NAMES, *known.DEST_PORT_NAMES)
        return list(dict.fromkeys([*names, *ends, *known.PROTOCOL_NAMES]))


def parse_settings(pairs: Iterable[tuple[str, str]], command: str = "flowlagenrich") -> Settings:
    """Settings from (option, value) pairs as the user typed them, unquoted.

    Raises SettingsError, one sentence with option, value and what is allowed, for the first thing that is wrong.
    """
    return make_settings(gather_options(pairs, ENRICH_OPTIONS, command))


def parse_arguments(arguments: Iterable[str], command: str = "flowlagenrich") -> Settings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_settings(split_arguments(arguments, command), command)


def make_settings(given: Mapping[str, str]) -> Settings:
    """Settings from option -> text; raises SettingsError. Names that are none of ENRICH_OPTIONS are left alone."""
    values = read_options(given, ENRICH_OPTIONS)
    if values["time"] == "likely" and values["confidence"] is None:
        raise SettingsError(
            'option time: "likely" is not allowed without confidence; give confidence=95, confidence=99 or '
            "confidence=99.9 too."
        )
    named = {option.name: (values[option.name],) for option in FIELD_OPTIONS if option.name in given}
    return Settings(
        lag_us=values["lag"],
        interval_us=values["interval"],
        phase_us=None if values["phase"] is None else _phase_us(values["phase"], values["interval"]),
        windows=values["windows"],
        time=values["time"],
        names=Names()._replace(**named),
        reads_raw=values["format"].reads_raw,
        layouts=values["format"].layouts,
        prefix=values["prefix"],
        community=values["community"],
        confidence=values["confidence"],
    )
