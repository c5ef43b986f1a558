# SPDX-License-Identifier: Apache-2.0
"""rank=probability: by the definition alone, one to one by every association, and what it leaves as it is."""

import random
from math import exp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlag.lag_density import LagDensity, uniform
from flowlag.lags import COLUMNS, LearnedLags
from flowlag.match import candidates, density_sum, probability
from flowlag.match.association import Association, Pair
from flowlag.match.candidates import Anchor, Flow
from flowlag.match.density_sum import DensitySum
from flowlag.match.fields import ALL_FIELDS
from flowlag.match.matcher import Matcher
from flowlag.match.opening_density import density_at, enclose
from flowlag.match.options import parse_match_settings
from tests.support.chances import associate, associate_exactly, chances

S = 1_000_000
T = 1602397440
quick = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])

made_flows = st.tuples(
    st.integers(-150, 150), st.sampled_from([0, 1, 5, 30, 59, 600]), st.sampled_from([0, 10, 60, 60, 300])
)
made_anchors = st.tuples(st.integers(-300, 300).map(lambda halves: halves / 2), st.sampled_from([0, 0, 0, 1, 40]))


#: Interface -> what was learned of its lags: all alike, constant, two places, a drift.
LEARNED = {
    "eni-1": [124] * 36 + [123] * 45,
    "eni-2": [2] * 45 + [9840] + [2] * 35,
    "eni-3": [0] * 5 + [3000] * 2 + [0] * 60 + [4000] + [0] * 13,
}


def learned_lags():
    rows = [
        [name, "240", "", "", "", " ".join(map(str, parts)), str(T - 5000), str(T + 90_000), "ok"]
        for name, parts in LEARNED.items()
    ]
    return LearnedLags.from_rows([COLUMNS, *rows])


def flow(start, length=59, lag=60, name="flow", **fields):
    return {
        "flowlag_status": "ok", "flowlag_start": str(T + start), "flowlag_earliest": str(T + start - lag),
        "flowlag_latest": str(T + start + length + 1), "key": "k", "row": name, **fields,
    }  # fmt: skip


def anchor(time, length=0, name="anchor", **fields):
    return {"_time": str(T + time), "end": str(T + time + length), "key": "k", "row": name, **fields}


def run(events, lags=None, **options):
    options = {"by": "key", "rank": "probability", "anchor_end": "end", **options}
    matcher = Matcher(parse_match_settings(options.items()), lags)
    for event in events:
        matcher.feed(event.get, event["row"])
    rows = [(m.anchor, m.flow, dict(zip(ALL_FIELDS, m.tags))) for m in matcher.close()]
    return rows, matcher


def events_of(flows, anchors):
    return [
        *(flow(*numbers, name=f"f{i:02}") for i, numbers in enumerate(flows)),
        *(anchor(*numbers, name=f"a{i:02}") for i, numbers in enumerate(anchors)),
    ]


# --- the values ---


made_names = st.sampled_from([*LEARNED, "", ""])


def make_flows(flows):
    """Flows for the parts, of (numbers, interface)."""
    lags = learned_lags()
    for (start, length, lag), name in flows:
        learned = lags.find_density(name, T * S)
        yield Flow((start - lag) * S, (start + length + 1) * S, start * S, "", learned)


@quick
@given(
    st.lists(made_flows, max_size=12), st.lists(made_anchors, min_size=1, max_size=7), st.booleans(), st.sampled_from([0, 1, 2]),
    st.sampled_from([0, 1]), st.sampled_from([(2, 1), (16, 200)]), st.booleans(), st.randoms(use_true_random=False),
)  # fmt: skip
def test_probabilities_are_those_of_the_definition(flows, anchors, exclusive, tolerance, within, sizes, knows, rng):
    """Whatever the order of arrival; with few flows in a block, the search and the sum of densities are used."""
    events = events_of(flows, anchors)
    names = [rng.choice([*LEARNED, "eni-4", ""]) for _ in flows]
    for event, name in zip(events, names):
        event["interface-id"] = name
    rng.shuffle(events)
    before = candidates.FANOUT, candidates.SMALL_RANGE, candidates.MOST_KINDS
    candidates.FANOUT, candidates.SMALL_RANGE = sizes
    candidates.MOST_KINDS = rng.choice([1, 16])
    try:
        lags = learned_lags() if knows else None
        rows, _ = run(events, lags, exclusive=str(exclusive), tolerance=str(tolerance), within=str(within))
    finally:
        candidates.FANOUT, candidates.SMALL_RANGE, candidates.MOST_KINDS = before
    intervals = [(time - tolerance, time + length + tolerance) for time, length in anchors]
    numbers = [
        (start - lag, start + length + 1, start, LEARNED.get(name, ()) if knows else ())
        for (start, length, lag), name in zip(flows, names)
    ]
    expected = {}
    for i, (some, none) in enumerate(chances(numbers, intervals, within, exclusive)):
        expected.update({(f"a{i:02}", f"f{j:02}"): (chance, none) for j, chance in some.items()})
        if not some:
            expected[f"a{i:02}", None] = (0, 1)
    found = {(a, f): (float(tags["match_probability"] or 0), float(tags["match_none"])) for a, f, tags in rows}
    assert found.keys() == expected.keys()
    for pair, values in expected.items():
        assert found[pair] == pytest.approx(values, abs=5e-5), pair


@quick
@given(
    st.lists(made_flows, max_size=10), st.lists(made_anchors, max_size=6), st.booleans(), st.sampled_from([1, 2, 100])
)
def test_probability_only_orders(flows, anchors, exclusive, most):
    """The pairs, their certainty, gaps, shares and counts are those of rank=share; a cut keeps the most probable."""
    events = events_of(flows, anchors)
    all_rows, _ = run(events, exclusive=str(exclusive))
    by_share, _ = run(events, rank="share")
    without = [(a, f, {n: v for n, v in tags.items() if n not in ALL_FIELDS[-2:]}) for a, f, tags in all_rows]
    assert sorted(without, key=repr) == sorted(by_share, key=repr)
    kept, matcher = run(events, exclusive=str(exclusive), maxmatches=str(most))
    expected, cut = [], 0
    for name in dict.fromkeys(a for a, _, _ in all_rows):
        rows = [row for row in all_rows if row[0] == name]
        expected += [(a, f, tags["match_probability"]) for a, f, tags in rows[:most]]
        cut += len(rows) > most
    assert sorted((a, f or "", tags["match_probability"]) for a, f, tags in kept) == sorted(
        (a, f or "", chance) for a, f, chance in expected
    )
    assert matcher.cut == cut


@quick
@given(st.lists(made_flows, max_size=10), st.lists(made_anchors, min_size=1, max_size=6))
def test_one_to_one_adds_up(flows, anchors):
    """The chances of an anchor and none make 1, and those of a flow are at most 1."""
    rows, _ = run(events_of(flows, anchors), exclusive="true")
    by_anchor, by_flow = {}, {}
    for a, f, tags in rows:
        chance = float(tags["match_probability"] or 0)
        by_anchor[a] = by_anchor.get(a, float(tags["match_none"])) + chance
        by_flow[f] = by_flow.get(f, 0) + chance
    assert all(total == pytest.approx(1, abs=1e-5) for total in by_anchor.values())
    assert all(total <= 1 + 1e-4 for total in by_flow.values())


def test_rows_go_by_probability_then_as_before():
    """The record whose opening is denser at the anchor comes first, though its share is the smaller one."""
    events = [flow(0, name="edge"), flow(-40, 100, name="middle"), anchor(-55)]
    assert [f for _, f, _ in run(events)[0]] == ["middle", "edge"]
    assert [f for _, f, _ in run(events, rank="share")[0]] == ["edge", "middle"]
    twins = [flow(0, name="b"), flow(0, name="a"), anchor(5)]
    rows, _ = run(twins, exclusive="true")
    assert [f for _, f, _ in rows] == ["a", "b"] and rows[0][2]["match_probability"] == rows[1][2]["match_probability"]


def test_an_anchor_without_a_flow_is_sure_of_none():
    ((_, flow_row, tags),), _ = run([anchor(5)])
    assert flow_row is None
    assert (tags["match_certainty"], tags["match_probability"], tags["match_none"]) == ("none", "", "1")


def test_two_logins_share_two_records_one_to_one():
    """Both records fit the first login, one of them the second: so that one is the second's, and the other the first's."""
    events = [flow(0, 0, name="early"), flow(50, 0, name="late"), anchor(-5, name="first"), anchor(45, name="second")]
    rows, _ = run(events, exclusive="true")
    best = {}
    for a, f, tags in rows:
        best.setdefault(a, (f, float(tags["match_probability"])))
    assert best["first"][0] == "early" and best["second"][0] == "late"
    alone = {(a, f): float(tags["match_probability"]) for a, f, tags in run(events)[0]}
    assert best["first"][1] > 0.9 > alone["first", "early"]


def test_the_row_names_and_the_digits():
    rows, _ = run([flow(0), anchor(5)])
    tags = rows[0][2]
    assert list(tags) == list(ALL_FIELDS)
    # one flow, no rival but half of one in the least time of 600 s; the lag is uniform, so the density is
    # 0.98 of the part of [0, 60) in [-5, 55), and 5 s of the 20 below 0 with 0.02, over a record of 60 s
    density = (55 * 0.98 / 60 + 5 * 0.02 / 20) / 60
    none = 0.05
    for _ in range(8):
        scale = (1 - none) / none * 600 / 0.5
        none = (0.05 * 20 + 1 / (1 + scale * density)) / 21
    scale = (1 - none) / none * 600 / 0.5
    assert float(tags["match_probability"]) == pytest.approx(scale * density / (1 + scale * density), abs=1e-6)
    assert len(tags["match_probability"]) <= 8


def test_what_was_learned_decides_between_two_records():
    """Of two records that fit alike, that of the interface whose lag is 25 s."""
    events = [flow(i, 0, name=name, interface_id=name) for i, name in ((5, "eni-9"), (25, "eni-2"))]
    rows, matcher = run([*events, anchor(-0.5)], learned_lags())
    best = {f: float(tags["match_probability"]) for _, f, tags in rows}
    assert best["eni-2"] > 0.9 > best["eni-9"] and rows[0][1] == "eni-2"
    assert matcher.warning() is None
    unlearned = {f: float(tags["match_probability"]) for _, f, tags in run([*events, anchor(-0.5)])[0]}
    assert unlearned["eni-2"] == unlearned["eni-9"]


def test_bounds_without_a_lag_have_none_that_was_learned():
    """Those of a connection, and records whose lag is said to be 0."""
    events = [{**flow(0, lag=lag, name=f"{lag} {begins}", interface_id="eni-2"), "flowlag_start": begins}
              for lag, begins in ((0, str(T)), (60, ""), (60, str(T - 60)))]  # fmt: skip
    assert run([*events, anchor(5)], learned_lags())[0] == run([*events, anchor(5)])[0]


def test_a_damaged_lookup_is_in_the_warning():
    _, matcher = run([flow(0), anchor(5)], LearnedLags(complaint="it is damaged, so no learned lag is used"))
    assert matcher.warning() == "it is damaged, so no learned lag is used."


# --- the parts ---


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 4), st.data())
def test_propagation_is_exact_where_there_is_no_circle(anchors, data):
    """On a tree the marginals are those of all associations."""
    flows = data.draw(st.integers(1, 4))
    weights = [[0.0] * flows for _ in range(anchors)]
    joined = {}  # (side, number) -> root

    def root(node):
        while joined.get(node, node) != node:
            node = joined[node]
        return node

    for i, j in data.draw(st.permutations([(i, j) for i in range(anchors) for j in range(flows)])):
        if root((0, i)) != root((1, j)) and data.draw(st.booleans()):
            joined[root((0, i))] = root((1, j))
            weights[i][j] = data.draw(st.floats(0.01, 1000))
    association = Association([[Pair(j, w) for j, w in enumerate(row) if w] for row in weights])
    exact = associate_exactly(weights, anchors, flows)
    for row, expected, (found, none) in zip(weights, exact, association.chances(1.0)):
        assert found == pytest.approx([p for w, p in zip(row, expected) if w], abs=1e-4)
        assert none == pytest.approx(expected[-1], abs=1e-4)
    assert association.free(1.0) == pytest.approx(sum(row[-1] for row in exact), abs=1e-3)


def test_propagation_is_near_where_there_are_circles():
    rng = random.Random(7)
    for _ in range(50):
        weights = [[rng.choice([0, rng.uniform(0.1, 20)]) for _ in range(4)] for _ in range(4)]
        found = Association([[Pair(j, w) for j, w in enumerate(row) if w] for row in weights]).chances(1.0)
        for row, expected, (some, none) in zip(weights, associate_exactly(weights, 4, 4), found):
            assert some == pytest.approx([p for w, p in zip(row, expected) if w], abs=0.2)
            assert none == pytest.approx(expected[-1], abs=0.2)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_messages_are_at_rest_whatever_the_weights(anchors, flows, data):
    """Large weights, where an anchor without a flow is all but impossible though flows are too few, rest slowly.

    A few rest so slowly that messages and oracle stop a little early; the limit by rounds alone was wrong by a third.
    """
    scale = 10 ** data.draw(st.integers(-3, 12))
    pairs = data.draw(st.lists(st.tuples(st.integers(0, anchors - 1), st.integers(0, flows - 1)), unique=True))
    weights = {pair: data.draw(st.sampled_from([1.0, 0.5, 0.01])) for pair in sorted(pairs)}
    rows = [[Pair(j, weight) for (a, j), weight in weights.items() if a == i] for i in range(anchors)]
    found = Association(rows).chances(scale)
    for row, (some, none), (expected, of_none) in zip(rows, found, associate(weights, anchors, scale)):
        assert some == pytest.approx([expected[pair.flow] for pair in row], abs=5e-3)
        assert none == pytest.approx(of_none, abs=5e-3)
    sums = [
        sum(p for row, (ps, _) in zip(rows, found) for pair, p in zip(row, ps) if pair.flow == j) for j in range(flows)
    ]
    assert max(sums) <= 1 + 5e-3


@pytest.mark.parametrize(("anchors", "flows"), [(3, 2), (5, 4), (20, 18), (50, 49), (18, 20)])
def test_anchors_that_are_alike_share_the_flows(anchors, flows):
    """However much likelier a flow is than none: each has an equal part, and what is too few has it."""
    found = Association([[Pair(j, 1.0) for j in range(flows)] for _ in range(anchors)]).chances(1e9)
    assert [chance for chances, _ in found for chance in chances] == pytest.approx(
        [1 / max(anchors, flows)] * anchors * flows, abs=1e-5
    )


def test_a_login_without_a_record_among_many_that_have_one():
    """Weights are large after a month of logins that all have their record; then three come at once, with two records."""
    events = []
    for i in range(300):
        events += [flow(i * 8640, 0, name=f"f{i}"), anchor(i * 8640 - 20, name=f"a{i}")]
    events += [flow(300 * 8640, 0, name=name) for name in ("one", "two")]
    events += [anchor(300 * 8640 - 20, name=name) for name in ("x", "y", "z")]
    rows, _ = run(events, exclusive="true")
    last = [float(tags["match_probability"]) for a, _, tags in rows if a in ("x", "y", "z")]
    assert last == pytest.approx([1 / 3] * 6, abs=1e-3)


def many_densities(dice, count):
    """Densities of many kinds: bell-shaped ones, spikes, and noise."""
    for _ in range(count):
        middle, width, noise = dice.uniform(-10, 50), dice.choice([0.3, 2, 8, 30]), dice.choice([0, 0, 1, 50])
        shares = [1e-3 + exp(-(((i - 20 - middle) / width) ** 2)) + noise * dice.random() for i in range(81)]
        total = sum(shares)
        yield LagDensity([(i - 20) * S for i in range(82)], [share / total for share in shares])


def test_many_densities_are_laid_out_by_few_knots(monkeypatch):
    """Counted: the knots that are laid out, each for all its flows."""
    dice = random.Random(6)
    densities = list(many_densities(dice, 50))
    flows = []
    for _ in range(3000):
        start = dice.randrange(1000)
        flows.append(Flow((start - 60) * S, (start + 60) * S, start * S, "", dice.choice(densities)))
    laid = []
    lay_out = density_sum._lay_out
    monkeypatch.setattr(
        density_sum, "_lay_out", lambda knots, w, b: (laid.append(len(knots) * len(w)), lay_out(knots, w, b))
    )
    found = DensitySum(flows, S)
    assert sum(laid) < 60 * len(flows)  # not 2 * 82 for each
    for time in range(100, 1000, 7):
        exact = sum(density_at(flow, Anchor(time * S, time * S), S) for flow in flows)
        assert found.at(Anchor(time * S, time * S)) == pytest.approx(exact, rel=0.02)


def test_a_coarse_density_has_the_masses_of_its_own():
    for density in many_densities(random.Random(7), 40):
        coarse = density_sum.coarsen(density)
        assert len(coarse.knots_us) < 52 and coarse.below(90 * S) == pytest.approx(1)
        for tenths in range(-250, 700):
            lag_us = tenths * S // 10
            assert abs(coarse.below(lag_us) - density.below(lag_us)) <= density_sum.COARSE + 1e-9


@pytest.mark.parametrize("count", [1, 300])  # with so many, blocks of flows have bounds
def test_a_certain_pair_of_a_flow_without_width_is_not_impossible(count):
    """As evaluated fields may have it: flow log records are at least a second wide."""
    events = [flow(0, -1, 0, name=f"f{i:03}") for i in range(count)]
    rows, _ = run([*events, anchor(0)], maxmatches="1")
    ((_, name, tags),) = rows
    assert name == "f000" and (tags["match_certainty"], tags["match_count"]) == ("certain", str(count))
    assert float(tags["match_probability"]) * count > 0.5 > float(tags["match_none"])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(made_flows, made_names), max_size=30), made_anchors, st.sampled_from([0, S, 30 * S]),
    st.sampled_from([0, 10, 1000]), st.sampled_from([0, 500_000]),
)  # fmt: skip
def test_the_sum_of_densities_is_their_sum(flows, numbers, within_us, dense, shift_us):
    """Also of stamps that are no whole seconds, and whether they are added second by second or not."""
    flows = list(make_flows(flows))
    flows[2::3] = [flow._replace(earliest_us=flow.start_us, latest_us=flow.start_us) for flow in flows[2::3]]
    flows[1::2] = [flow._replace(earliest_us=flow.earliest_us + shift_us, start_us=flow.start_us + shift_us,
                                 latest_us=flow.latest_us + shift_us) for flow in flows[1::2]]  # fmt: skip
    begin_us = int(numbers[0] * S)
    interval = Anchor(begin_us, begin_us + numbers[1] * S)
    expected = sum(density_at(flow, interval, within_us) for flow in flows)
    # the sum ends a microsecond later than the flow, where the density of one without width need not be small
    abrupt = sum((flow.learned or uniform(flow.opens_us - flow.earliest_us)).peak
                 for flow in flows if flow.latest_us == flow.opens_us)  # fmt: skip
    before, density_sum.DENSE = density_sum.DENSE, dense
    try:
        assert DensitySum(flows, within_us).at(interval) == pytest.approx(expected, abs=1e-9 + abrupt * 1e-6)
    finally:
        density_sum.DENSE = before


@settings(deadline=None)
@given(st.lists(st.tuples(made_flows, made_names), min_size=1, max_size=6), st.integers(-30 * S, 400 * S))
def test_what_encloses_densities_is_nowhere_below_one(flows, lag_us):
    flows = list(make_flows(flows))
    slopes = [(flow.learned or uniform(flow.opens_us - flow.earliest_us)).slope_at(lag_us) for flow in flows]
    assert enclose(flows).slope_at(lag_us) >= max(slopes) - 1e-12


@given(st.integers(0, 3600), st.integers(-40, 3700))
def test_a_lag_density_adds_up_to_one(lag, time):
    density = uniform(lag * S)
    assert density.below(-20 * S) == 0 and density.below(max(lag, 1) * S) == pytest.approx(1)
    assert density.below(0) == pytest.approx(0.02)
    step = density.area((time + 1) * S) - density.area(time * S)
    assert density.below(time * S) - 1e-9 <= step <= density.below((time + 1) * S) + 1e-9


# --- bounds ---


def hot(anchors, flows, seconds=3600, seed=1):
    rng = random.Random(seed)
    made = [flow(rng.randrange(seconds), rng.randrange(60), name=f"f{i}") for i in range(flows)]
    return [*made, *(anchor(rng.randrange(seconds * 10) / 10, name=f"a{i}") for i in range(anchors))]


def test_a_key_with_too_many_anchors_falls_back_with_one_warning(monkeypatch):
    monkeypatch.setattr(probability, "MOST_ANCHORS", 20)
    events = hot(60, 100, 600)
    rows, matcher = run(events, exclusive="true")
    assert "keys with too many anchors that share flows for exclusive=true: 1, which are" in matcher.warning()
    assert rows == run(events)[0]


def test_a_key_with_too_many_pairs_falls_back(monkeypatch):
    monkeypatch.setattr(probability, "MOST_PAIRS", 100)
    rows, matcher = run(hot(60, 100, 600), exclusive="true")
    assert rows == run(hot(60, 100, 600))[0] and "exclusive=true: 1" in matcher.warning()


def test_a_key_is_cut_where_no_flow_is_shared(monkeypatch):
    """Three bursts an hour apart: too much together, each not; the result is that of each burst by itself."""
    bursts = []
    for k in range(3):
        shift = k * 7200
        for event in hot(15, 60, 300, seed=k):
            times = [n for n in event if n in ("_time", "end", "flowlag_start", "flowlag_earliest", "flowlag_latest")]
            moved = {**event, **{name: str(float(event[name]) + shift) for name in times}}
            bursts.append([*(bursts.pop() if len(bursts) > k else []), {**moved, "row": f"{k} {event['row']}"}])
    expected = [row for burst in bursts for row in run(burst, exclusive="true")[0]]
    monkeypatch.setattr(probability, "MOST_ANCHORS", 20)
    rows, matcher = run([event for burst in bursts for event in burst], exclusive="true")
    assert matcher.warning() is None and rows == expected


@pytest.mark.slow
def test_a_hot_key_is_searched_and_not_scanned(monkeypatch):
    """Thousands of flows are possible for each of thousands of anchors; few of these millions of pairs are ranked."""
    ranked = []
    rank_flow = probability.rank_flow
    monkeypatch.setattr(probability, "rank_flow", lambda *given: ranked.append(1) or rank_flow(*given))
    rows, matcher = run(hot(2500, 30_000, 600), exclusive="true", maxmatches="1")
    assert len(rows) == 2500 and "exclusive=true: 1" in matcher.warning()
    assert sum(int(tags["match_count"]) for _, _, tags in rows) > 10_000_000 > 10 * len(ranked)


@pytest.mark.slow
def test_learned_lags_do_not_make_a_hot_key_a_scan(monkeypatch):
    """Flows of several interfaces, side by side in each block."""
    ranked = []
    rank_flow = probability.rank_flow
    monkeypatch.setattr(probability, "rank_flow", lambda *given: ranked.append(1) or rank_flow(*given))
    events = hot(1000, 20_000, 600)
    for i, event in enumerate(events):
        event["interface_id"] = ("eni-1", "eni-2", "eni-3", "eni-4")[i % 4]
    rows, _ = run(events, learned_lags(), maxmatches="1")
    assert sum(int(tags["match_count"]) for _, _, tags in rows) > 2_500_000 > 10 * len(ranked)


# --- opening records ---


def test_only_records_that_open_a_connection_are_flows():
    flags = ["2", "3", "6", "7", "2.0", "0", "18", "19", "16", "1", "", "-", "SYN", "0x02", "2\n2", "-2"]
    events = [flow(0, name=f"flags {text!r}", tcp_flags=text) for text in flags]
    rows, matcher = run([*events, anchor(5)], starts="tcp_flags", rank="share")
    assert sorted(f for _, f, _ in rows) == sorted(f"flags {text!r}" for text in flags[:5])
    assert "flows that open no connection: 11" in matcher.warning()


def test_flags_that_are_nowhere_are_said_to_be():
    rows, matcher = run([flow(0), anchor(5)], starts="tcpflags")
    assert [f for _, f, _ in rows] == [None]
    assert "no flow has a number in tcpflags: check starts, or leave it out" in matcher.warning()


def test_a_marked_flow_stays_an_anchor_whatever_its_flags():
    events = [flow(0, name="f", tcp_flags="2"), flow(3, name="a", tcp_flags="0", mark="yes")]
    assert [(a, f) for a, f, _ in run(events, starts="tcp_flags", anchors="mark=yes")[0]] == [("a", "f")]


def test_keys_that_were_not_read_are_not_called_empty():
    """All flows were left out for their flags, so nothing is known of their keys."""
    _, matcher = run([flow(0, tcp_flags="18"), anchor(5)], starts="tcp_flags")
    assert matcher.warning() == "events that took no part: 1 (flows that open no connection: 1)."
