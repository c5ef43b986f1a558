# SPDX-License-Identifier: Apache-2.0
"""JSON documents that are alike, as columns: same members, plain values. Anything else is read document by document."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Optional

from flowlag.files.batches import Columns
from flowlag.files.envelopes import EXPANDED, may_be_envelope
from flowlag.lines import text_of

#: Reads documents; numbers stay as they are written.
DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
#: Levels of documents that are read together; AWS's have two.
DEEPEST_ALIKE = 8

#: Names of documents that are taken apart, or left out.
_NO_EVENT = frozenset((*EXPANDED, "messageType"))
_REFUSED = frozenset((dict,))


def read_alike(text: str) -> Optional[Columns]:
    """The columns of lines that have a document each, all of them alike; else None."""
    text = text.rstrip("\r\n").replace("\r\n", "\n")
    count = text.count("\n") + 1
    if count == 1 or text.count("\n{") != count - 1 or text.count("}\n") != count - 1:
        return None
    try:
        documents = DECODER.decode("[" + text.replace("\n", ",\n") + "]")
    except (ValueError, RecursionError):
        return None
    names = documents[0].keys() if isinstance(documents[0], dict) else ()
    if len(documents) != count or may_be_envelope(names) or not _NO_EVENT.isdisjoint(names):
        return None
    # a list may be that of a document which goes over several lines
    return join_alike(documents, frozenset((dict, list)))


def join_alike(documents: Sequence[Any], refused: Collection[type] = _REFUSED) -> Optional[Columns]:
    """The columns of events that have the same members; None if they have not, or if one is of a refused type."""
    if not all(isinstance(document, dict) for document in documents) or "extractedFields" in documents[0]:
        return None
    return _join_columns(documents, refused, "", DEEPEST_ALIKE)


def _join_columns(
    documents: Sequence[dict[str, Any]], refused: Collection[type], begin: str, depth: int
) -> Optional[Columns]:
    """The columns of documents whose names begin with `begin`; None if they are not alike, or too deep."""
    names = {*map(tuple, documents)}
    if len(names) != 1 or names == {()} or not depth:
        return None
    columns: Columns = {}
    for name, values in zip(names.pop(), zip(*map(dict.values, documents))):
        kinds = {*map(type, values)}
        if kinds == {dict}:
            inner = _join_columns(values, refused, f"{begin}{name}.", depth - 1)
            if inner is None or not columns.keys().isdisjoint(inner):
                return None
            columns.update(inner)
        elif not kinds.isdisjoint(refused) or begin + name in columns:
            return None
        else:
            columns[begin + name] = list(values) if kinds == {str} else [text_of(value) or "" for value in values]
    return columns
