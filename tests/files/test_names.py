# SPDX-License-Identifier: Apache-2.0
"""Names of fields in files: spelled in any way, and those that mean the same."""

import json
from collections import Counter

import pytest

from flowlag.cli.main import main
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.files.names import AliasFinder, KeyFinder, read_as, squeeze
from tests.files.made import settings

LINE = "2 123456789012 eni-0a1b2c3d 2001:db8::7 2001:db8:1::5 52233 22 6 85 9000 1760469769 1760469799 ACCEPT OK"
INSIGHTS = """@timestamp,interfaceId,srcAddr,packets,start,end,logStatus
x,eni-1,2001:db8::7,85,1760469769,1760469799,OK
x,eni-1,-,-,1760469800,1760469829,NODATA
"""
ATHENA = """"interfaceid","sourceaddress","destinationport","numpackets","starttime","endtime","logstatus"
"eni-1","2001:db8::7","22","85","1760469769","1760469799","OK"
"eni-1","-","-","-","1760469800","1760469829","SKIPDATA"
"""
LOGIN = "_time,src,user\n1760469770,2001:DB8:0::7,root\n"


def shell(capsys, *args):
    code = main([*args, "--output", "json"]) if args[-1] != "table" else main(args)
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


def test_squeeze():
    assert {squeeze(name) for name in ("logStatus", "log-status", "LOG_STATUS", "logstatus")} == {"logstatus"}


def test_the_exact_name_wins():
    fields = {"Start": "1", "start": "2", "End-Time": "3"}
    get = read_as(fields, AliasFinder(["start", "end_time", "packets"]).find(fields))
    assert (get("start"), get("end_time"), get("packets"), get("Start")) == ("2", "3", None, "1")


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (INSIGHTS, ["ok", "nodata"]),
        (ATHENA, ["ok", "skipdata"]),
        (INSIGHTS.replace("start,end", "START-TIME,End_Time"), ["ok", "nodata"]),
        ('{"LogStatus": "NODATA", "StartTime": 1760469769, "endtime": 1760469799}', ["nodata"]),
        ("srcaddr,packets,start,end\nx,-,1760469769,1760469799\nx,1,1760469769,1760469799\n", ["missing", "ok"]),
        ("srcaddr,packets,start,end\nx,,1760469769,1760469799\n", ["ok"]),
    ],
)
def test_names_in_any_spelling(tmp_path, capsys, text, statuses):
    (tmp_path / "in").write_text(text)
    _, rows, _ = shell(capsys, "enrich", str(tmp_path / "in"))
    assert [row["flowlag_status"] for row in rows] == statuses


def test_events_of_insights_are_known_too():
    event = {"startTime": "1760469769", "endTime": "1760469799", "logStatus": "NODATA", "interfaceId": "eni-1"}
    (row,) = Enricher(settings()).rows([event])
    assert row["flowlag_status"] == "nodata"


def test_packets_without_a_count_are_never_ok():
    enricher = Enricher(parse_settings({"format": "${packets} ${start} ${end}"}.items()))
    rows = enricher.rows({"_raw": f"{packets} 1760469800 1760469829"} for packets in "-1")
    assert Counter(row["flowlag_status"] for row in rows) == {"missing": 1, "ok": 1}


def test_profile_and_connect_know_them(tmp_path, capsys):
    (tmp_path / "in").write_text(ATHENA)
    _, (row,), _ = shell(capsys, "profile", str(tmp_path / "in"))
    assert (row["interface_id"], row["ok"], row["skipdata"]) == ("eni-1", "1", "1")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (LINE, "srcaddr"),
        (LINE, "src_ip"),
        (LINE, "src_endpoint.ip"),
        (LINE, "SrcAddr"),
        (INSIGHTS, "src"),
        (ATHENA, "src_ip"),
        ("_raw\n" + LINE, "srcaddr"),
        (json.dumps({"_raw": LINE, "host": "a"}), "src_ip"),
        (json.dumps({"src_endpoint": {"ip": "2001:db8::7"}, "start": 1760469769, "end": 1760469799}), "srcaddr"),
    ],
)
def test_a_key_by_any_name(tmp_path, capsys, text, key):
    (tmp_path / "flows").write_text(text)
    (tmp_path / "logins").write_text(LOGIN)
    for anchor_key in ("src", "srcaddr"):
        by = ("--by", f"{key}={anchor_key}")
        code, rows, _ = shell(
            capsys, "match", "--flows", str(tmp_path / "flows"), "--anchors", str(tmp_path / "logins"), *by
        )
        assert code == 0 and [(row["src"], row["match_count"]) for row in rows] == [("2001:DB8:0::7", "1")]


@pytest.mark.parametrize("command", ["match", "learn"])
@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("srcadr=src", "no flow has a field srcadr (did you mean srcaddr?)"),
        ("srcaddr=usr", "no anchor has a field usr"),
    ],
)
def test_a_key_that_no_row_has_is_refused(tmp_path, capsys, command, by, says):
    (tmp_path / "flows").write_text(LINE)
    (tmp_path / "logins").write_text(LOGIN)
    sides = ("--flows", str(tmp_path / "flows"), "--anchors", str(tmp_path / "logins"))
    code, rows, err = shell(capsys, command, *sides, "--by", by)
    assert code == 2 and not rows and says in err and ("dstaddr" in err or "src, user" in err)
    assert err.count("\n") == 1 and "flowlag_status" not in err


def test_keys_have_the_names_of_all_rows():
    finder = KeyFinder(["srcaddr", "user"], [])
    for fields in ({"a": "1"}, {"src_ip": "2"}):
        finder.find(fields)
    assert finder.has("srcaddr") and not finder.has("user") and list(finder.names) == ["a", "src_ip"]
