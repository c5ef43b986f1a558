# SPDX-License-Identifier: Apache-2.0
"""The raw text of an event to its record: a header line, a line in some layout, or a JSON object.

Authority: docs/enrich.md, Layouts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Optional, Union

from flowlag.fields import Names, Values, pick_values
from flowlag.layouts import Layout
from flowlag.recognition import Found, find_record
from flowlag.words import is_header, split_words, status_of, strip_blanks

#: The reading of a line that names columns and has no values; it is recognised by identity.
HEADER = "header"
Reading = Union[Values, str, None]  # str is HEADER
#: The known names.
NAMES = Names()


def read_line(line: str, layouts: Sequence[Layout] = ()) -> Union[Found, str, None]:
    """The record in a stripped line: in one of `layouts`, or without any (`format=auto`) as far as it is known."""
    return HEADER if is_header(line) else find_record(split_words(line), layouts)


def _values_of(line: str, layouts: Sequence[Layout] = ()) -> Reading:
    found = read_line(line, layouts)
    return found.values if isinstance(found, Found) else found


def read_raw(text: str, layouts: Sequence[Layout] = (), names: Names = NAMES) -> Reading:
    """The reading of `_raw`: the values of a line or, without `layouts` (`format=auto`), of a JSON object."""
    line = strip_blanks(text)
    if not layouts and line.startswith("{"):
        return read_json(line, names)
    return _values_of(line, layouts)


def read_json(text: str, names: Names = NAMES) -> Reading:
    """The values of a JSON object by `names` or the known names, else of the line in its `message`; else None.

    Values without a start or without an end are taken only if nothing better is found.
    """
    try:
        # numbers stay as they are written: no float rounding, no limit on digits
        document = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return _read_object(document, names) if isinstance(document, dict) else None
    except (ValueError, RecursionError):  # some depths can be read, but not be written again
        return None


def _read_object(document: dict[str, Any], names: Names) -> Reading:
    found = [pick_values(lambda name: text_of(member(document, name)), some) for some in dict.fromkeys((names, NAMES))]
    whole = next((values for values in found if values.start and values.end), None)
    if whole is not None:
        return whole
    reading = _values_of(strip_blanks(text_of(document.get("message")) or ""))
    return next(filter(tells_flow, found), None) if reading is None else reading


def tells_flow(values: Values) -> bool:
    """Whether the values have a start, an end or a log status word."""
    return bool(values.start or values.end or status_of(values.status))


def member(document: dict[str, Any], name: str) -> Any:
    """The member `name` of a JSON object, with dots for nested objects; None if there is none."""
    while name not in document and "." in name:
        head, _, name = name.partition(".")
        document = document.get(head)  # type: ignore[assignment]
        if not isinstance(document, dict):
            return None
    return document.get(name)


def text_of(value: Any) -> Optional[str]:
    """A JSON value as field text: strings as they are, null as None, a list of strings one a line as in Splunk."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value)
