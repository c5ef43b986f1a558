# SPDX-License-Identifier: Apache-2.0
"""The options of flowlaglearn, each declared once, and the settings that are made of them.

Authority: docs/learn.md, Options. `by`, `anchors` and `anchor_time` are read as for flowlagmatch.
"""

from collections.abc import Iterable, Sequence  # and no annotations as strings: see options.py
from typing import NamedTuple, Optional

from flowlag.connect.options import FLAGS, INTERFACE, PACKETS
from flowlag.enrich_options import LAG, Settings, make_settings
from flowlag.errors import SettingsError
from flowlag.five_tuple import FLAGS_NAMES
from flowlag.match.options import ANCHOR_TIME, ANCHORS, BY, Keys
from flowlag.options import (
    Option,
    field_name,
    gather_options,
    parse_span,
    plain,
    prefix,
    read_options,
    split_arguments,
)

ANCHOR_PACKETS = field_name(
    "anchor_packets",
    "Where an anchor has the number of packets that its source counted. It is needed where no flow has TCP flags: then "
    "only anchors of one packet count, and only flows of one packet.",
)
TOLERANCE = Option(
    "tolerance",
    "<span>",
    "1",
    "0 or more seconds with at most six decimals, plain (1, 0.5) or as a time span (1s, 5m)",
    "How far off the clocks of the anchors may be, with the time from their sensor to the network interface.",
    parse_span,
)

#: In the order of the docs.
LEARN_OPTIONS = (
    BY, FLAGS, ANCHORS, ANCHOR_TIME, ANCHOR_PACKETS, TOLERANCE,
    LAG._replace(meaning="The longest time between a packet and its stamp; give the same to flowlagenrich."),
    INTERFACE, PACKETS,
    prefix("The prefix that flowlagenrich was given."),
)  # fmt: skip


#: The tags of flowlagenrich that are read.
TAGS = ("status", "start", "earliest", "latest")


class LearnSettings(NamedTuple):
    """What flowlaglearn was asked for; `tolerance_us` in microseconds.

    `reading` tells how records are read, and has lag and prefix; `flags` are the names that are tried.
    """

    by: Keys
    reading: Settings
    flags: Sequence[str] = FLAGS_NAMES
    marker: Optional[tuple[str, str]] = None
    anchor_time: str = ANCHOR_TIME.initial
    anchor_packets: Optional[str] = None
    tolerance_us: int = TOLERANCE.initial

    @property
    def lag_us(self) -> int:
        """The longest time between a packet and its stamp, in microseconds."""
        return self.reading.lag_us

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, for Splunk to extract."""
        tags = (self.reading.prefix + name for name in TAGS)
        own = (self.marker[0] if self.marker else "", self.anchor_time, self.anchor_packets or "")
        names = (*self.reading.names.interface, *self.reading.names.packets, *self.flags)
        return list(dict.fromkeys(filter(None, (*tags, *self.by.flow, *self.by.anchor, *names, *own))))


def parse_learn_settings(
    pairs: Iterable[tuple[str, str]], command: str = "flowlaglearn", options: Iterable[Option] = LEARN_OPTIONS
) -> LearnSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence.

    `options` are those allowed: the shell has more, for reading.
    """
    given = gather_options(pairs, options, command)
    if BY.name not in given:
        raise SettingsError(
            f"option by is missing; give {command} {plain(BY.allowed)}, for example "
            'by="src_ip=src,src_port,dest_ip=dest,dest_port".'
        )
    values = read_options(given, LEARN_OPTIONS)
    reading = make_settings(given)
    flags = FLAGS_NAMES if FLAGS.name not in given else (values["flags"],)
    return LearnSettings(
        values["by"], reading, flags, values["anchors"], values["anchor_time"], values["anchor_packets"],
        values["tolerance"],
    )  # fmt: skip


def parse_learn_arguments(arguments: Iterable[str], command: str = "flowlaglearn") -> LearnSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_learn_settings(split_arguments(arguments, command), command)
