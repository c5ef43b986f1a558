# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies: field values an event may hold, sensible and hostile, and events made of them."""

import json

from hypothesis import strategies as st

T = 1602397446

HOSTILE = ["", "-", "unknown", "None", "x", " 5", "5", "1e9", "nan", "1_0", "\x00", "\ud800", "é", "\u2028", "a\nb", "a\r\nb", "a\rb",
           '"', '""', '","', "start", "version", "$", "1602397446\n1602397447", "9" * 400, "0x1", "²", "=1+1", "12:30", "May"]  # fmt: skip

times = st.one_of(
    st.integers(T - 5000, T + 5000).map(str),
    st.decimals(T - 100, T + 100, places=3).map(str),
    st.integers((T - 100) * 1000, (T + 100) * 1000).map(str),
    st.sampled_from(["2020-10-11T06:24:06Z", "2020-10-11 06:24:06 UTC", "2020-10-11T15:24:06+09:00"]),
    st.sampled_from(HOSTILE),
)
packets = st.one_of(st.integers(0, 100).map(str), st.sampled_from(["1.0", "-", "unknown", "1.5", "", *HOSTILE]))
statuses = st.sampled_from(["OK", "ok", "NODATA", "SKIPDATA", "", "-", " OK ", "FINE", "200"])
texts = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=20))

lines = st.builds(
    lambda start, end, count, status: f"2 123456789012 eni-1 198.51.100.7 10.255.1.22 52233 22 6 {count} 136 {start} {end} ACCEPT {status}",
    times, times, packets, statuses,
)  # fmt: skip
addresses = st.one_of(
    st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "2001:DB8:0::1", "::ffff:10.0.0.1", "fe80::1%eth0", "999.1.1.1", "-", ""]),
    st.ip_addresses().map(str),
    texts,
)  # fmt: skip
ports = st.one_of(st.integers(0, 65535).map(str), st.sampled_from(["443", "443.0", "0", "65536", "-", "", "https"]))
protocols = st.sampled_from(["6", "6.0", "17", "132", "1", "58", "256", "tcp", "UDP", "ip", "-", ""])
whole_lines = st.builds(
    lambda start, src, dest, sport, dport, protocol: f"2 1 eni-1 {src} {dest} {sport} {dport} {protocol} 1 136 {start} {start} ACCEPT OK",
    st.just(T), addresses, addresses, ports, ports, protocols,
)  # fmt: skip
documents = st.builds(
    lambda start, src, dest, sport: json.dumps({"start": start, "end": T, "srcaddr": src, "dst_endpoint": {"ip": dest}, "srcport": sport, "dest_port": 22, "protocol": 6}),
    st.sampled_from([str(T), T, "", None]), addresses, addresses, ports,
)  # fmt: skip
raws = st.one_of(
    lines,
    whole_lines,
    documents,
    whole_lines.map(lambda line: json.dumps({"message": line, "src_ip": "10.9.9.9"})),
    lines.map(lambda line: '{"message": "' + line.replace('"', "") + '"}'),
    texts,
    st.just("version account-id start end"),
)

events = st.fixed_dictionaries(
    {},
    optional={
        "start_time": times,
        "start": times,
        "end_time": times,
        "end": times,
        "packets": packets,
        "log_status": statuses,
        "interface_id": texts,
        "_raw": raws,
        "src_ip": addresses,
        "srcaddr": addresses,
        "dest_ip": addresses,
        "src_port": ports,
        "dest_port": ports,
        "protocol": protocols,
        "transport": protocols,
        "_time": st.sampled_from(["", "1602397446", "1602397446.000", "x"]),
        "user": texts,
        "flowlag_status": texts,
        "ÿ": texts,
    },
)

options = st.fixed_dictionaries(
    {},
    optional={
        "lag": st.sampled_from(["0", "60", "1m", "0.5", "3600"]),
        "interval": st.sampled_from(["60", "10m"]),
        "phase": st.sampled_from(["0", "6", "59"]),
        "windows": st.sampled_from(["auto", "assumed", "none"]),
        "time": st.sampled_from(["keep", "start", "end", "estimate", "earliest", "latest", "likely"]),
        "format": st.sampled_from(["auto", "none", "default", "${start} ${end}"]),
        "duration": st.just("user"),
        "prefix": st.just("x_"),
        "community": st.sampled_from(["true", "false"]),
        "confidence": st.sampled_from(["95", "99", "99.9"]),
    },
).map(lambda chosen: {"confidence": "99", **chosen} if chosen.get("time") == "likely" else chosen)
