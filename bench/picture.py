# SPDX-License-Identifier: Apache-2.0
"""Draws docs/speed.png, the picture of the benchmark, from the figures of bench.enrich (`make picture`).

It is the only tool that needs matplotlib, so it has its own environment. The colours are those of Okabe and Ito.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from tools.places import ROOT

PANELS = {"wide": "all fields of an event (31 and their twins)", "narrow": "a few named fields (10 and their twins)"}
LABELS = {
    "stock": "Splunk's SDK, stock loop",
    "no-op": "csv module, no work",
    "ours": "flowlagenrich",
    "copy": "plain copy",
}
COLOURS = {"stock": "#e69f00", "no-op": "#999999", "ours": "#0072b2", "copy": "#cfcfca"}
INK, GROUND = "#1b1b1b", "#fcfcfa"


def read_costs(path: Path, version: str) -> dict[str, dict[str, float]]:
    """Data set -> contender -> median CPU in microseconds per event, each over the most events measured."""
    costs: dict[str, dict[str, float]] = {}
    results = [
        r for r in json.loads(path.read_text())["results"] if r["python"] == version and r.get("shape") in PANELS
    ]
    for result in sorted(results, key=lambda result: (result["events"], result["chunk_rows"])):
        for name, runs in result["runs"].items():
            median = statistics.median(run["cpu_s"] for run in runs) / result["events"] * 1e6
            costs.setdefault(result["shape"], {})[name] = median
    return costs


def draw(costs: dict[str, dict[str, float]], version: str, target: Path) -> None:
    """Write the picture: a bar for each contender, a panel for each data set."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(2, 1, figsize=(8, 4.4), sharex=True, facecolor=GROUND, layout="constrained")
    for panel, (shape, title) in zip(panels, PANELS.items()):
        draw_panel(panel, costs[shape], title)
    panels[-1].set_xlabel(f"CPU microseconds per event, Python {version}, start included (less is better)", color=INK)
    figure.savefig(target, dpi=150, metadata={"Software": None})


def draw_panel(panel: Any, costs: dict[str, float], title: str) -> None:
    """The bars of one data set."""
    names = [name for name in LABELS if name in costs][::-1]
    bars = panel.barh([LABELS[name] for name in names], [costs[name] for name in names])
    for bar, name in zip(bars, names):
        bar.set_color(COLOURS[name])
    times = [
        f" {costs[name]:.1f}" + ("" if name == "ours" else f"  ({costs[name] / costs['ours']:.2g}x)") for name in names
    ]
    panel.bar_label(bars, times, color=INK)
    panel.set_title(title, loc="left", fontsize=11, color=INK)
    panel.set_facecolor(GROUND)
    panel.margins(x=0.14)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(colors=INK)


def main() -> None:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description="Draws the picture of the benchmark.")
    parser.add_argument("--input", type=Path, default=ROOT / "build" / "bench.json", help="the figures of bench.enrich")
    parser.add_argument("--python", default="3.9", help="the version to show (default: 3.9)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "speed.png", help="default: docs/speed.png")
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(exist_ok=True)
    draw(read_costs(arguments.input, arguments.python), arguments.python, arguments.output)
    print(arguments.output)


if __name__ == "__main__":
    main()
