# SPDX-License-Identifier: Apache-2.0
"""What probabilities there must be, from the definition alone: every pair, every message, nothing kept or cut.

Times are seconds. Shares no code with the app. A flow is (earliest, latest, start), and may have the parts of its learned
lags behind it, one for each second from -20.
"""


def below(lag, longest, parts=()):
    """The mass of lags below `lag`: 2 % between -20 and 0, the rest even from 0 to `longest`; or what was learned."""
    if parts:
        return sum(part * min(max(lag - second, 0), 1) for second, part in enumerate(parts, -20)) / sum(parts)
    if lag <= 0:
        return 0.02 * max(lag + 20, 0) / 20
    return 0.02 + 0.98 * min(lag / longest, 1)


def density(flow, anchor, within):
    """The average over the anchor of the density of the flow's opening, by the trapezoid rule between all corners."""
    earliest, latest, start, *parts = flow
    parts = parts[0] if parts and earliest < start else ()
    begin, end = anchor
    opens = start if earliest <= start < latest else earliest
    longest = (opens - earliest) or 1

    def at(time):
        inside = earliest - within <= time <= latest + within
        return (
            (below(latest - time, longest, parts) - below(opens - time, longest, parts)) / (latest - opens)
            if inside
            else 0.0
        )

    if begin == end:
        return at(begin)
    first, last = max(begin, earliest - within), min(end, latest + within)
    if first >= last:
        return 0.0
    knots = range(-20, 62) if parts else (-20.0, 0.0, longest)
    corners = {edge - knot for edge in (opens, latest) for knot in knots}
    times = sorted({first, last, *(time for time in corners if first < time < last)})
    return sum((at(a) + at(b)) / 2 * (b - a) for a, b in zip(times, times[1:])) / (end - begin)


def is_possible(flow, anchor, within):
    return flow[0] - anchor[1] <= within and flow[1] - anchor[0] >= -within


def chances(flows, anchors, within, exclusive):
    """For each anchor ({flow number: probability}, probability of none). One key; anchors are (begin, end)."""
    edges = {
        (i, j): density(flow, anchor, within)
        for i, anchor in enumerate(anchors)
        for j, flow in enumerate(flows)
        if is_possible(flow, anchor, within)
    }
    rivals = {j for _, j in edges}
    none, taken = 0.05, (0 if exclusive else 1)
    scale = None
    if rivals:
        envelope = sum(flows[j][1] - flows[j][0] for j in rivals) / len(rivals)
        time = max(max(end for _, end in anchors) - min(begin for begin, _ in anchors) + envelope, 600)
    solve = associate if exclusive else separate
    for _ in range(9):  # eight rounds, and the answer
        if rivals:
            scale = (1 - none) / none * time / max(len(rivals) - taken, 0.5)
        found = solve(edges, len(anchors), scale)
        free = sum(share for _, share in found)
        none = (1 + free) / (20 + len(anchors))
        if exclusive:
            taken = len(anchors) - free
    return found


def separate(edges, anchors, scale):
    found = []
    for i in range(anchors):
        weights = {j: scale * value for (a, j), value in edges.items() if a == i}
        total = 1 + sum(weights.values())
        found.append(({j: weight / total for j, weight in weights.items()}, 1 / total))
    return found


def associate(edges, anchors, scale):
    """Belief propagation, each message by itself."""
    weights = {edge: scale * value for edge, value in edges.items()}
    back = dict.fromkeys(edges, 1.0)
    for _ in range(20_000):
        sent = {
            (i, j): weight / (1 + sum(weights[a, f] * back[a, f] for a, f in weights if a == i and f != j))
            for (i, j), weight in weights.items()
        }
        answer = {(i, j): 1 / (1 + sum(sent[a, f] for a, f in sent if f == j and a != i)) for i, j in weights}
        is_still = all(abs(answer[edge] - back[edge]) <= 1e-9 * back[edge] for edge in edges)
        back = answer
        if is_still:
            break
    found = []
    for i in range(anchors):
        products = {j: weights[a, j] * back[a, j] for a, j in weights if a == i}
        total = 1 + sum(products.values())
        found.append(({j: product / total for j, product in products.items()}, 1 / total))
    return found


def associate_exactly(weights, anchors, flows):
    """The marginals of every one-to-one association, by trying them all: weights[i][j], 0 for no pair."""
    sums = [[0.0] * (flows + 1) for _ in range(anchors)]
    total = 0.0

    def go(i, used, product, chosen):
        nonlocal total
        if i == anchors:
            total += product
            for anchor, flow in enumerate(chosen):
                sums[anchor][flow] += product
            return
        go(i + 1, used, product, [*chosen, flows])
        for j in range(flows):
            if weights[i][j] and j not in used:
                go(i + 1, used | {j}, product * weights[i][j], [*chosen, j])

    go(0, frozenset(), 1.0, [])
    return [[value / total for value in row] for row in sums]
