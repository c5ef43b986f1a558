# SPDX-License-Identifier: Apache-2.0
"""Learned lags: which row counts for a record, what it gives and when nothing, and what a damaged lookup does."""

import os
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.errors import SettingsError
from flowlag.interval import write_seconds
from flowlag.lags import COLUMNS, Bound, LearnedLags
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.splunk.enrich_table import EnrichTable
from flowlag.splunk.lookup import LAGS_PLACE, MOST_BYTES, load_lags, load_learned
from tests.support.splunkd import Reply, write_body

S = 1_000_000
T = 1_602_397_440
DAY = 86_400
EVEN = " ".join(["124"] * 36 + ["123"] * 45)


def row(interface="eni-1", first=0, last=DAY, state="ok", **cells):
    """A row as flowlaglearn writes it; times as seconds after T."""
    made = {
        "interface_id": interface, "anchors": "240", "lag_p50": "19.1", "lag_95": "21", "lag_99": "25.3", "lag_999": "",
        "density": EVEN, "learned_from": str(T + first), "learned_to": str(T + last), "misses": "0", "state": state,
    }  # fmt: skip
    assert tuple(made) == LEARN_FIELDS
    return list({**made, **cells}.values())


def learn(*rows, confidence="99"):
    return LearnedLags.from_rows([LEARN_FIELDS, *rows], confidence)


def tag(lags, start=100, length=30, interface="eni-1", **options):
    enricher = Enricher(parse_settings({"confidence": "99", **options}.items()), None, lags)
    event = {"start_time": str(T + start), "end_time": str(T + start + length), "interface_id": interface}
    tags = enricher.tag(event.get)
    earliest = tags.likely_earliest and str(Decimal(tags.likely_earliest) - T)
    return earliest, tags.likely_basis, tags.likely_anchors


ENVELOPE = ("40", "envelope", "")

# --- the ladder ---


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        ([row()], {}, ("74.7", "interface", "240")),
        ([row()], {"confidence": "95"}, ("79", "interface", "240")),
        ([row()], {"confidence": "99.9"}, ENVELOPE),
        ([row(lag_999="60")], {"confidence": "99.9"}, ("40", "interface", "240")),
        ([row()], {"lag": "20"}, ("80", "interface", "240")),
        ([row(lag_99="-3.5")], {}, ("103.5", "interface", "240")),
        ([row(lag_99="-30.999999")], {}, ("130.999999", "interface", "240")),
        ([row(lag_99="-31")], {}, ENVELOPE),
        ([row(state="drifting")], {}, ENVELOPE),
        ([row(state="few", lag_95="", lag_99="")], {}, ENVELOPE),
        ([row("eni-2")], {}, ENVELOPE),
        ([row("")], {"interface": ""}, ENVELOPE),
        ([], {}, ENVELOPE),
    ],
)
def test_what_a_row_gives(rows, options, expected):
    options = dict(options)
    assert tag(learn(*rows, confidence=options.get("confidence", "99")), **options) == expected


@pytest.mark.parametrize(
    ("start", "holds"), [(0, True), (-1, False), (DAY, True), (2 * DAY, True), (2 * DAY + 1, False)]
)
def test_from_the_first_anchor_to_a_day_after_the_last(start, holds):
    assert tag(learn(row()), start)[1] == ("interface" if holds else "envelope")


def test_the_later_row_counts_even_if_it_says_nothing():
    old, new = row(lag_99="5"), row(first=60, last=DAY + 60, state="drifting")
    for rows in ([old, new], [new, old]):
        assert tag(learn(*rows), 59) == ("54", "interface", "240")
        assert tag(learn(*rows), 60)[1] == "envelope"
        assert tag(learn(*rows), 2 * DAY + 60)[1] == "envelope"


def test_a_record_without_packets_has_no_likely_bounds():
    for status, expected in (("NODATA", ""), ("SKIPDATA", ""), ("bad", ""), ("OK", "interface")):
        enricher = Enricher(parse_settings([("confidence", "99"), ("time", "likely")]), None, learn(row()))
        event = {"start_time": str(T), "end_time": str(T + 9), "log_status": status, "interface_id": "eni-1"}
        tags = enricher.tag(event.get)
        assert tags.likely_basis == expected
        assert tags.event_time("likely") == (str(T - Decimal("7.65")) if expected else tags.time)


@given(st.integers(-40 * S, 3600 * S), st.integers(0, 3600), st.integers(0, 3600))
def test_likely_bounds_lie_in_the_hard_ones(learned_us, length, lag):
    lags = learn(row(lag_99=write_seconds(learned_us)))
    enricher = Enricher(parse_settings([("confidence", "99"), ("lag", str(lag))]), None, lags)
    tags = enricher.tag({"start": str(T), "end": str(T + length), "interface_id": "eni-1"}.get)
    earliest, latest, likely = map(Decimal, (tags.earliest, tags.latest, tags.likely_earliest))
    assert earliest <= likely < latest
    wanted = T - Decimal(learned_us) / S
    assert likely == (earliest if wanted >= latest else max(wanted, earliest))
    assert (tags.likely_basis, tags.likely_anchors) == (("envelope", "") if wanted >= latest else ("interface", "240"))


def test_the_hard_bounds_stay():
    """Only time=likely differs by what was learned."""
    events = [{"start_time": str(T), "end_time": str(T + 9), "interface_id": "eni-1", "_time": "1"}]
    for time in ("keep", "start", "end", "estimate", "earliest", "latest", "likely"):
        asked = Enricher(parse_settings([("confidence", "99"), ("time", time)]), None, learn(row()))
        plain = Enricher(parse_settings([("time", "estimate" if time == "likely" else time)]))
        (one,), (other,) = (list(enricher.rows([dict(event) for event in events])) for enricher in (asked, plain))
        names = [name for name in other if name != "_time"]
        assert [one[name] for name in names] == [other[name] for name in names]
        assert (one["_time"] == other["_time"]) == (time != "likely")


def test_likely_needs_a_confidence():
    with pytest.raises(SettingsError) as caught:
        parse_settings([("time", "likely")])
    assert str(caught.value) == (
        'option time: "likely" is not allowed without confidence; give confidence=95, confidence=99 or '
        "confidence=99.9 too."
    )


# --- the fast path ---


ROWS = st.lists(
    st.builds(
        lambda interface, first, length, state, lag: row(
            interface, first, first + length, state, lag_95=lag, lag_99=lag
        ),
        st.sampled_from(["eni-1", "eni-2", "eni-3"]),
        st.integers(-DAY - 50, 40),
        st.integers(0, 60),
        st.sampled_from(["ok", "ok", "drifting"]),
        st.sampled_from(["", "0", "25.3", "59.999999", "300", "-0.5", "-20"]),
    ),
    max_size=5,
)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["eni-1", "eni-2", "eni-3", "eni-4", "", "-"]),
        st.integers(-70, 130),
        st.sampled_from([-1, 0, 19, 30, 59]),
        st.sampled_from(["1", "7"]),
        st.sampled_from(["OK", "OK", "NODATA", "bad"]),
        st.sampled_from(["", "1"]),
    ),
    min_size=10,
    max_size=40,
)
OPTIONS = st.fixed_dictionaries(
    {"confidence": st.sampled_from(["95", "99", "99.9"])},
    optional={
        "time": st.sampled_from(["keep", "estimate", "likely"]),
        "phase": st.just("6"),
        "windows": st.sampled_from(["assumed", "none"]),
        "lag": st.sampled_from(["0", "0.5", "20"]),
        "community": st.just("true"),
        "format": st.just("none"),
    },
)


@settings(deadline=None, max_examples=200)
@given(ROWS, RECORDS, OPTIONS, st.booleans(), st.booleans(), st.sampled_from([300, 1 << 20]))
def test_the_byte_path_finds_the_same(rows, records, options, has_time, has_more, size):
    """Records that the memo takes for alike, whatever their interface, have the tags of the plain path."""
    names = ["interface_id", "start_time", "end_time", "packets", "log_status", *(["_time"] if has_time else [])]
    events = [
        dict(zip(names, (interface, str(T + start), str(T + start + length), packets, status, time)))
        for interface, start, length, packets, status, time in records
    ]
    if has_more:  # what one column lacks, another one may have
        names += ["dvc", "start"]
        for event, other in zip(events, reversed(list(events))):
            event.update(dvc=other["interface_id"], start=other["start_time"])
            event["start_time"] = event["start_time"] if event["packets"] == "1" else "-"

    def enricher():
        return Enricher(parse_settings(options.items()), None, learn(*rows, confidence=options["confidence"]))

    plain = list(enricher().rows([dict(event) for event in events]))
    tagged = Reply({}, EnrichTable(enricher(), size).tag(write_body(events, names))).rows
    expected = [*dict.fromkeys([*names, "_time"]), *enricher().fields]
    assert [[event[name] for name in expected] for event in tagged] == [
        [event[name] for name in expected] for event in plain
    ]


# --- the lookup ---


@pytest.fixture
def lookup(tmp_path):
    path = tmp_path / LAGS_PLACE
    path.parent.mkdir()
    return path


def load(path, confidence="99"):
    return load_lags(confidence, path.parent.parent)


def write(path, *rows):
    path.write_text("\n".join(",".join(cells) for cells in [LEARN_FIELDS, *rows]) + "\n")
    return path


def test_a_lookup_is_read(lookup):
    lags = load(write(lookup, row(), row("eni-2", lag_99="7")))
    assert lags.complaint is None
    assert lags.find_bound("eni-2", T * S) == Bound(7 * S, "240")
    windows, found = load_learned(parse_settings([]), lookup.parent.parent)
    assert windows is None and found is None, "not asked for"
    _, found = load_learned(parse_settings([("confidence", "95")]), lookup.parent.parent)
    assert found.find_bound("eni-1", T * S) == Bound(21 * S, "240")


def test_no_lookup_is_no_error(tmp_path):
    assert load_lags("99", tmp_path) is None


def test_columns_in_any_order_and_others_too(lookup):
    names = [*reversed(LEARN_FIELDS), "__mv_density", "note"]
    lookup.write_text("\ufeff" + "\n".join([",".join(names), ",".join([*reversed(row()), "", "x"]), "", ",,"]) + "\n")
    assert load(lookup).complaint is None and load(lookup).find_bound("eni-1", T * S) == Bound(25_300_000, "240")


DAMAGED = {
    "short": row()[:3],
    "anchors": row(anchors="-1"),
    "lag": row(lag_99="25,3"),
    "lag-text": row(lag_95="nan"),
    "lag-long": row(lag_999="123456"),
    "from": row(learned_from="x"),
    "to": row(learned_to=""),
    "reversed": row(first=5, last=4),
    "state": row(state="fine"),
}
DAMAGED_DENSITIES = {
    "none": row(density=""),
    "few": row(density="1 2 3"),
    "many": row(density=EVEN + " 0"),
    "sign": row(density=EVEN.replace("124", "-124", 1)),
    "decimals": row(density=EVEN.replace("124", "124.5", 1)),
    "nothing": row(density=" ".join(["0"] * 81)),
}


@pytest.mark.parametrize("cells", DAMAGED.values(), ids=DAMAGED)
def test_damaged_rows_are_counted_and_left_out(cells):
    for confidence in ("99", None):
        lags = LearnedLags.from_rows([LEARN_FIELDS, cells, row("eni-2")], confidence)
        assert lags.complaint == "rows that cannot be read and are left out: 1"
        assert lags.find_bound("eni-1", T * S) is None and lags.find_density("eni-1", T * S) is None


@pytest.mark.parametrize("cells", DAMAGED_DENSITIES.values(), ids=DAMAGED_DENSITIES)
def test_a_damaged_density_matters_only_where_it_is_used(cells):
    lags = LearnedLags.from_rows([LEARN_FIELDS, cells], None)
    assert lags.complaint == "rows that cannot be read and are left out: 1"
    assert lags.find_density("eni-1", T * S) is None
    assert learn(cells).complaint is None and learn(cells).find_bound("eni-1", T * S) == Bound(25_300_000, "240")


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_table_without_a_column_is_not_used(missing):
    names = [name for name in LEARN_FIELDS if name != missing]
    assert LearnedLags.from_rows([names, row()], "99").complaint == (
        f"it has no column {missing}, so no learned lag is used"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it has no column interface_id, anchors, "),
        (b"\xff\xfe", "it is damaged ("),
        (b'"' + b"a" * 200_000 + b'"', "it is damaged (field larger"),
        (b"a" * (MOST_BYTES + 1), "it is larger than 32 MB"),
    ],
    ids=["empty", "utf-16", "field", "large"],
)
def test_a_damaged_lookup_is_one_sentence(lookup, content, reason):
    lookup.write_bytes(content)
    complaint = load(lookup).complaint
    assert complaint.startswith(f"{LAGS_PLACE}: {reason}") and complaint.endswith("so no learned lag is used")
    enricher = Enricher(parse_settings([("confidence", "99")]), None, load(lookup))
    assert enricher.tag({"start_time": str(T), "end_time": str(T)}.get).likely_basis == "envelope"
    assert enricher.warning() == complaint + "."


def test_a_link_out_of_the_app_is_not_followed(lookup, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside") / "flowlag_lags.csv", row())
    os.symlink(outside, lookup)
    assert (
        load(lookup).complaint == f"{LAGS_PLACE}: it is not a file in the folder of the app, so no learned lag is used"
    )


def test_many_rows_of_one_interface_are_bounded(monkeypatch):
    monkeypatch.setattr("flowlag.lags.MOST_ROWS", 2)
    lags = learn(*(row(first=3 * DAY * i, last=3 * DAY * i, lag_99=str(i)) for i in range(4)))
    found = [lags.find_bound("eni-1", (T + 3 * DAY * i) * S) for i in range(4)]
    assert found == [None, None, Bound(2 * S, "240"), Bound(3 * S, "240")]


# --- the density ---


def test_a_density_is_that_of_the_bins():
    parts = ["0"] * 81
    parts[20 + 19], parts[20 + 25] = "7500", "2500"
    lags = learn(
        row(density=" ".join(parts)), row("eni-2", state="drifting"), row("eni-3"), row("eni-4"), confidence=None
    )
    density = lags.find_density("eni-1", T * S)
    assert density.below(19 * S) == 0 and density.below(20 * S) == density.below(25 * S) == 0.75
    assert density.below(19 * S + S // 2) == 0.375 and density.below(61 * S) == 1 and density.peak == 0.75
    assert lags.find_density("eni-1", (T - 1) * S) is None and lags.find_density(None, T * S) is None
    assert lags.find_density("eni-2", T * S) is None, "it drifts"
    assert lags.find_density("eni-3", T * S) is lags.find_density("eni-4", T * S), "the same text"
