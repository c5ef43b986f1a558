# SPDX-License-Identifier: Apache-2.0
"""The table of fields and the known layouts."""

import pytest

from flowlag.fields import FIELD_VERSIONS, Names, Values, first_value, has_value, pick_values
from flowlag.layouts import LAYOUTS, Layout

ALPHABETICAL = (
    "account-id action az-id bytes dstaddr dstport end flow-direction instance-id interface-id log-status packets "
    "pkt-dst-aws-service pkt-dstaddr pkt-src-aws-service pkt-srcaddr protocol region srcaddr srcport start sublocation-id "
    "sublocation-type subnet-id tcp-flags traffic-path type version vpc-id"
)


def test_every_version_is_known():
    assert sorted(set(FIELD_VERSIONS.values())) == list(range(2, 12))
    assert len(FIELD_VERSIONS) == 14 + 7 + 4 + 4 + 18 + 10 + 1 + 1 + 1 + 12


@pytest.mark.parametrize(
    ("name", "columns", "start", "end", "status"),
    [("default", 14, 11, 12, 14), ("addon-v5", 29, 11, 12, 14), ("select-all", 29, 21, 7, 11), ("tgw", 36, 24, 25, 26)],
)
def test_layouts(name, columns, start, end, status):
    """Column numbers as the guides count them, from one."""
    layout = LAYOUTS[name]
    words = [str(i) for i in range(1, columns + 1)]
    values = layout.values(words)
    assert len(layout) == columns
    assert (values.start, values.end, values.status) == (str(start), str(end), str(status))


def test_select_all_is_alphabetical():
    assert LAYOUTS["select-all"].columns == tuple(ALPHABETICAL.split())


def test_layouts_hold_known_fields_once():
    for layout in LAYOUTS.values():
        assert set(layout.columns) <= set(FIELD_VERSIONS) and len(set(layout.columns)) == len(layout)


@pytest.mark.parametrize("text", [None, "", "-", "unknown", "UNKNOWN", "null", "None", "NoNe"])
def test_no_value(text):
    assert not has_value(text)


@pytest.mark.parametrize("text", ["0", " ", "--", "un\u212anown", "nil", "n/a", "\x00", "é"])
def test_value(text):
    """Only the listed words mean nothing; a Kelvin sign is no k."""
    assert has_value(text)


def test_the_first_name_that_has_a_value_wins():
    fields = {"start_time": "-", "start": "5", "start_time_dt": "6"}
    assert first_value(fields.get, Names().start) == "5"
    assert pick_values(fields.get, Names()) == Values(start="5")


def test_a_regional_nat_gateway_has_its_id_in_resource_id():
    layout = Layout("x", ("interface-id", "start", "end", "resource-id"))
    assert layout.values(["-", "1", "2", "nat-0c"]).interface == "nat-0c"
    assert layout.values(["eni-1", "1", "2", "nat-0c"]).interface == "eni-1"


def test_underscores_and_case_of_column_names_do_not_matter():
    layout = Layout("x", ("Interface_ID", "START", "end", "log_status"))
    assert layout.values(["eni-1", "1", "2", "OK"]) == Values("1", "2", None, "eni-1", "OK")
