# SPDX-License-Identifier: Apache-2.0
"""Which anchor belongs to which record, and what follows for each interface, from docs/learn.md alone.

Times are whole seconds. Shares no code with the app but the density, which has an oracle of its own.
"""

from fractions import Fraction
from math import ceil

from flowlag.learn.estimate import estimate, estimate_estate, write_density


def opens(flags):
    return flags is not None and flags & 2 and not flags & 16


def learn(flows, anchors, tolerance, lag):
    """Flows are dicts of key, interface, start, end, earliest, latest, flags, packets; anchors (time, key, packets)."""
    has_flags = any(flow["flags"] is not None for flow in flows)
    found = {}
    for time, key, packets in anchors:
        if not has_flags and packets != 1:
            continue
        for interface in sorted({flow["interface"] for flow in flows}):
            fit = [
                (flow["start"], flow["earliest"], flow["latest"], flow["end"])
                for flow in flows
                if (flow["key"], flow["interface"]) == (key, interface)
                and (opens(flow["flags"]) if has_flags else flow["packets"] == 1)
                and flow["earliest"] - tolerance <= time < flow["latest"] + tolerance
            ]
            if fit:
                start, _, _, end = min(fit)
                found.setdefault(interface, []).append((time, start - time, end + 1 - time))
    every = sorted((time, low * 10**6, high * 10**6) for some in found.values() for time, low, high in some)
    estate = estimate_estate([pair[1:] for pair in every])
    return [row(name, sorted(found[name]), estate, lag) for name in sorted(found)]


def quantile(scores, share, lag):
    rank = ceil((len(scores) + 1) * Fraction(share))
    return "" if rank > len(scores) else str(min(sorted(scores)[rank - 1], lag))


def row(name, found, estate, lag):
    scores = [low for _, low, _ in found]
    highest = quantile(scores[:-50], "99/100", 10**9)
    misses = sum(score > int(highest) for score in scores[-50:]) if highest else 0
    few = quantile(scores, "95/100", lag) == ""
    return {
        "interface_id": name,
        "anchors": str(len(scores)),
        **{field: quantile(scores, share, lag) for field, share in (
            ("lag_p50", "1/2"), ("lag_95", "95/100"), ("lag_99", "99/100"), ("lag_999", "999/1000"))},
        "density": write_density(estimate([(low * 10**6, high * 10**6) for _, low, high in found], estate)),
        "learned_from": str(found[0][0]),
        "learned_to": str(found[-1][0]),
        "misses": str(misses),
        "state": "drifting" if misses >= 4 else "few" if few else "ok",
    }  # fmt: skip
