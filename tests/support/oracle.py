# SPDX-License-Identifier: Apache-2.0
"""What a reply must be, by the csv module and the plain path alone: none of the code that reads bytes is used here.

And which pairs there must be, by trying every one of them in exact fractions.
"""

import csv
import io
from fractions import Fraction

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings


def enricher(chosen):
    return Enricher(parse_settings(chosen.items()))


def read_text(text):
    """CSV text (each character a byte) as rows. The csv module of Python 3.9 refuses NUL and a bare CR, so it is shown
    others in their place, which no byte is.
    """
    shown = text.replace("\0", "\ue000").replace("\r", "\ue001")
    return [
        [value.replace("\ue000", "\0").replace("\ue001", "\r") for value in row]
        for row in csv.reader(io.StringIO(shown, newline=""))
    ]


def read_body(body):
    return read_text(body.decode("latin-1"))


def value_of(cell):
    """The value of one field's raw bytes."""
    (values,) = read_body(cell) or [[""]]
    (value,) = values or [""]
    return value.encode("latin-1").decode("utf-8", "replace")


def expected_reply(header, rows, chosen, line_end=b"\n"):
    """The reply to rows of raw fields; each field is one by itself, whatever is in it."""
    return expected_reply_to([(header, line_end), *((row, line_end) for row in rows)], chosen)


def expected_reply_to(records, chosen):
    """The reply to records as split_body gives them, the header first; and the counts by status."""
    tagger = enricher(chosen)
    (header, header_end), *rows = records
    names = [value_of(cell) for cell in header]
    replaced = {twin + name for name in tagger.fields for twin in ("", "__mv_")}
    kept = [i for i, name in enumerate(names) if name not in replaced]
    time = names.index("_time") if "_time" in names else None
    sent = (
        [header[i] for i in kept]
        + ([b'"_time"'] if time is None else [])
        + [b'"%b"' % f.encode() for f in tagger.fields]
    )
    lines = [b",".join(sent) + (header_end or b"\n")]
    for row, line_end in rows:
        cells = [*row, *[b""] * len(names)][: len(names)]
        event = dict(reversed([(name, value_of(cell)) for name, cell in zip(names, cells)]))
        before = event.get("_time")
        plain = next(tagger.rows([dict(event)]))
        if time is not None and plain["_time"] != before:
            cells[time] = plain["_time"].encode()
            if "__mv__time" in names:
                cells[names.index("__mv__time")] = b""
        added = [plain["_time"].encode()] if time is None else []
        line = [*(cells[i] for i in kept), *added, *(plain[name].encode() for name in tagger.fields)]
        lines.append(b",".join(line) + (line_end or b"\n"))
    return b"".join(lines), tagger.counts


def split_body(body):
    """Any CSV body as records, each its raw fields and its line end (LF, CRLF or none), one byte after the other.

    A quote that is never closed is closed at the end, so that what is written behind it is not inside.
    """
    records, fields, field, is_quoted, is_open = [], [], bytearray(), False, False
    for byte in body:
        if is_open:  # between the quotes; a doubled one closes and opens again
            is_open = byte != 0x22
        elif byte == 0x22 and (not field or (is_quoted and field.endswith(b'"'))):
            is_quoted = is_open = True
        elif byte == 0x2C:
            fields.append(bytes(field))
            field, is_quoted = bytearray(), False
            continue
        elif byte == 0x0A:
            line_end = b"\r\n" if field.endswith(b"\r") else b"\n"
            records.append(([*fields, bytes(field[: len(field) + 1 - len(line_end)])], line_end))
            fields, field, is_quoted = [], bytearray(), False
            continue
        else:
            is_quoted = False  # what follows a closing quote is literal
        field.append(byte)
    if is_open:
        field.append(0x22)
    if fields or field:
        records.append(([*fields, bytes(field)], b""))
    return records


def write_rows(header, rows, line_end=b"\n"):
    """The request body of rows of raw fields."""
    return b"".join(b",".join(line) + line_end for line in [header, *rows])


def cut(body, size):
    """A body in pieces of `size` bytes."""
    return [body[i : i + size] for i in range(0, len(body), size)]


def interval_of(event, marker):
    """When an event happened, as exact fractions."""
    is_flow = event.get("flowlag_status") == "ok"
    names = ("flowlag_earliest", "flowlag_latest") if is_flow and marker else ("_time", event.get("until") or "_time")
    return tuple(Fraction(event[name]) for name in names)


def expected_pairs(events, relation, within, tolerance, most, marker, unmatched=True):
    """(anchor, flow, certainty, count, cut) of each row, in order."""
    low, high = {"overlap": (-within, within), "before": (-within, 0), "after": (0, within)}[relation]
    rows = []
    for a in events:
        if (a.get("mark") == "yes") if marker else ("flowlag_status" not in a):
            start, end = interval_of(a, marker)
            when = (start + end) / 2 if a.get("flowlag_status") == "ok" else start
            ae, al = start - tolerance, end + tolerance
            found = []
            for f in events:
                if f.get("flowlag_status") != "ok" or f["key"] != a["key"] or (marker and f.get("mark") == "yes"):
                    continue
                gap = (Fraction(f["flowlag_earliest"]) - al, Fraction(f["flowlag_latest"]) - ae)
                common = (max(gap[0], low), min(gap[1], high))
                meets = common[0] <= common[1]
                if relation == "before":
                    meets, certain = meets and common[0] < 0, gap[0] >= low and gap[1] < 0
                elif relation == "after":
                    meets, certain = meets and common[1] > 0, gap[0] > 0 and gap[1] <= high
                else:
                    certain = gap[0] >= low and gap[1] <= high
                if relation != "overlap" and within == 0:
                    meets = False
                if meets:
                    share = Fraction(1) if gap[0] == gap[1] else (common[1] - common[0]) / (gap[1] - gap[0])
                    found.append((-share, abs(gap[0] + gap[1]), Fraction(f["flowlag_start"]), f["row"],
                                  "certain" if certain else "possible"))  # fmt: skip
            found.sort()
            cut = int(len(found) > most)
            rows += [(when, *row[:4], a["row"], row[3], row[4], len(found), cut) for row in found[:most]]
            if not found and unmatched:
                rows.append((when, Fraction(1), 0, 0, "", a["row"], None, "none", 0, 0))
    return [row[5:] for row in sorted(rows, key=lambda row: row[:6])]
