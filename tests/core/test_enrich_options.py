# SPDX-License-Identifier: Apache-2.0
"""Options: what each may be, and that a refusal names option, value and what is allowed."""

import pytest

from flowlag.connect.options import parse_connect_arguments
from flowlag.enrich_options import ENRICH_OPTIONS, Settings, parse_arguments, parse_settings
from flowlag.errors import SettingsError, show_value
from flowlag.layouts import LAYOUTS
from flowlag.profile.options import parse_profile_arguments

S = 1_000_000

LAGS = {"0": 0, "60": 60 * S, "60s": 60 * S, "1m": 60 * S, "1min": 60 * S, "0.5": S // 2, "0.000001": 1, "500ms": S // 2,
    "3600": 3600 * S, "1h": 3600 * S, "1hour": 3600 * S, "30sec": 30 * S, "2minutes": 120 * S, "0.5m": 30 * S, "060": 60 * S}  # fmt: skip
INTERVALS = {"1": S, "60": 60 * S, "600": 600 * S, "10m": 600 * S, "60s": 60 * S, "1h": 3600 * S, "3600": 3600 * S}

WRONG = {
    "lag": ["-5", "", "abc", "3601", "61m", "2h", "1e3", "+5", " 60", "60 s", "1.0000001", "nan", "1M", "60S", "-0", "0x10", "٦٠"],
    "interval": ["0", "-1", "", "1.5", "3601", "0.5m1", "60.5s", "x", "999ms"],
    "phase": ["60", "-1", "", "1.5", "x", "6s", "²"],
    "windows": ["", "Auto", "all", "true"],
    "time": ["", "now", "START", "mid"],
    "start": ["", " "],
    "end": [""],
    "packets": [""],
    "interface": [""],
    "status": [""],
    "duration": [""],
    "community": ["", "maybe", "2", " true", "on"],
    "confidence": ["", "90", "99%", "0.99", "99.90", "true"],
    "prefix": ["", "_x", "1x", "a-b", "flow lag", "é", "x\n"],
    "format": ["", "v2", "Default", "${start}", "${start} ${end} x", "${start} ${end} ${Foo}", "${start} ${end} ${start}",
               "${start},${end}", "$start $end", "${interface-id} ${start}", "${start_time} ${end_time}", "default;auto", "default;", "tgw;${start}"],
}  # fmt: skip


def test_defaults():
    assert parse_settings([]) == Settings(
        lag_us=60 * S, interval_us=60 * S, prefix="flowlag_", reads_raw=True, layouts=()
    )


@pytest.mark.parametrize(("text", "expected"), LAGS.items())
def test_lag(text, expected):
    assert parse_settings([("lag", text)]).lag_us == expected


@pytest.mark.parametrize(("text", "expected"), INTERVALS.items())
def test_interval(text, expected):
    assert parse_settings([("interval", text)]).interval_us == expected


def test_phase_is_below_the_interval_whatever_their_order():
    assert parse_settings([("phase", "599"), ("interval", "10m")]).phase_us == 599 * S
    with pytest.raises(SettingsError, match=r'option phase: "60" .* 0 to 59'):
        parse_settings([("phase", "60")])


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in WRONG.items() for v in values])
def test_refuses_in_one_sentence(option, value):
    """The sentence names the option and the value, says what is allowed, and ends."""
    with pytest.raises(SettingsError) as caught:
        parse_settings([(option, value)])
    sentence = str(caught.value)
    assert f'option {option}: "{show_value(value)}" is not allowed; give ' in sentence
    assert sentence.endswith(".")


def test_every_option_has_a_refusal():
    assert set(WRONG) == {option.name for option in ENRICH_OPTIONS}


def test_unknown_option_names_the_known_ones():
    with pytest.raises(SettingsError) as caught:
        parse_settings([("lagg", "5")])
    assert "lagg=5" in str(caught.value) and all(option.name in str(caught.value) for option in ENRICH_OPTIONS)


@pytest.mark.parametrize("option", ["record", "show_configuration", "logging_level", "logging_configuration"])
def test_the_sdks_own_options_are_unknown(option):
    """They would write recordings or read files, and no page of docs/ has any of them."""
    with pytest.raises(SettingsError, match="there is no option"):
        parse_settings([(option, "true")])


def test_an_option_given_twice():
    with pytest.raises(SettingsError, match='lag is given twice, "1" and "2"'):
        parse_settings([("lag", "1"), ("lag", "2")])


def test_an_argument_without_equals_sign():
    with pytest.raises(SettingsError, match=r'"lag".*name=value'):
        parse_arguments(["lag", "=", "60"])


def test_arguments_keep_equals_signs_in_values():
    assert parse_arguments(["start=a=b"]).names.start == ("a=b",)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_by_name(name):
    assert parse_settings([("format", name)]).layouts == (LAYOUTS[name],)


def test_layout_by_format_string():
    (layout,) = parse_settings([("format", "${version}  ${end}\t${interface-id} * ${start}")]).layouts
    assert layout.columns == ("version", "end", "interface-id", "*", "start")


def test_several_layouts():
    settings = parse_settings([("format", "default; ${start} ${end} ${new-field};tgw")])
    assert [layout.name for layout in settings.layouts] == ["default", "custom", "tgw"]
    assert settings.unknown_columns == ["new-field"]


def test_a_doubled_dollar_sign_is_named():
    with pytest.raises(SettingsError, match="one dollar sign"):
        parse_settings([("format", "$${start} $${end}")])


def test_input_fields_are_what_the_options_need():
    fields = parse_settings([]).input_fields
    assert fields[-2:] == ["_raw", "_time"] and len(set(fields)) == len(fields)
    assert "_raw" not in parse_settings([("format", "none")]).input_fields
    named = parse_settings(
        [("start", "s"), ("end", "e"), ("duration", "d"), ("packets", "p"), ("interface", "i"), ("status", "l")]
    )
    assert named.input_fields == ["s", "e", "p", "i", "l", "d", "_raw", "_time"]


def test_flows_are_read_if_their_ids_are_asked_for():
    plain, asked = (parse_settings([("community", text), ("packets", "src")]).input_fields for text in ("f", "True"))
    assert asked[: len(plain)] == plain and len(set(asked)) == len(asked)
    assert {"src_ip", "srcaddr", "dest_ip", "src_port", "dest_port", "dstport", "protocol", "transport"} <= set(asked)


@pytest.mark.parametrize(
    ("parse", "arguments"),
    [
        (parse_arguments, []),
        (parse_arguments, ["start=_time"]),
        (parse_arguments, ["packets=_time", "end=_raw"]),
        (parse_arguments, ["start=_time", "interface=src_ip", "community=true"]),
        (parse_connect_arguments, ["packets=bytes", "interface=src_ip"]),
        (parse_profile_arguments, []),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_input_fields_name_no_field_twice(parse, arguments):
    """Else Splunk would be asked for a column twice: tstats gives the start in _time, which is read anyway."""
    fields = parse(arguments).input_fields
    assert sorted(set(fields)) == sorted(fields)
