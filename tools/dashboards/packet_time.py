# SPDX-License-Identifier: Apache-2.0
"""The dashboard Packet time: when packets of each flow can have passed, and which flows could have carried an event.

Its searches stand in packet_events.py, packet_verdicts.py, packet_answer.py and packet_lanes.py; here is what is shown
of them and where.
"""

from __future__ import annotations

from tools.dashboards.envelope import GREY, ORANGE, SEA_GREEN
from tools.dashboards.packet_answer import SENTENCE
from tools.dashboards.packet_events import CHOICE, EVENTS
from tools.dashboards.packet_lanes import LANES, TIMELINE
from tools.dashboards.packet_verdicts import ASKED, FLOWS, PAIRS, PROBABILITY, SPAN, TABLE
from tools.dashboards.parts import (
    FLOWS_INPUT,
    TIME_RANGE,
    WIDTH,
    JsonObject,
    block,
    chain,
    dropdown,
    hidden_without_rows,
    image,
    search,
    sentence,
    set_tokens,
    table,
    text_input,
    text_of,
    time_input,
)

# A connection has records of both directions.
RECORDS_SEARCH = (
    "($flows$) ((src_ip=$ds_span:result.src_ip|s$ dest_ip=$ds_span:result.dest_ip|s$ "
    "src_port=$ds_span:result.src_port|s$ dest_port=$ds_span:result.dest_port|s$) OR "
    "(src_ip=$ds_span:result.dest_ip|s$ dest_ip=$ds_span:result.src_ip|s$ "
    "src_port=$ds_span:result.dest_port|s$ dest_port=$ds_span:result.src_port|s$))"
)
RECORDS_TIME = {"earliest": "$ds_span:result.from$", "latest": "$ds_span:result.to$"}
RECORDS = f"""
    {RECORDS_SEARCH}
    | head 1000
    | eval Time=strftime(_time,"%F %T"), Indexed=strftime(_indextime,"%F %T"), Record=_raw
    | rename interface_id as Interface
    | table Time Indexed Interface Record
"""

# Each chain starts from the events: older versions of Dashboard Studio allow few chains in a row.
SOURCES: JsonObject = {
    "ds_events": search("Flow records and other events", EVENTS),
    "ds_choice": chain("Events to choose from", "ds_events", CHOICE),
    # The tokens of a search's result bear the search's name.
    "ds_sentence": chain("ds_sentence", "ds_events", PAIRS + FLOWS + SENTENCE),
    "ds_lanes": chain("Lanes of the timeline", "ds_events", PAIRS + FLOWS + LANES),
    "ds_table": chain("Flow records by certainty", "ds_events", PROBABILITY + PAIRS + FLOWS + TABLE),
    "ds_span": chain("ds_span", "ds_events", SPAN),
    "ds_asked": chain("Possible flow records of each event", "ds_events", ASKED),
    "ds_records": search("Raw flow records of the chosen flow", RECORDS, **RECORDS_TIME),
}

OPEN_RECORDS: JsonObject = {
    "type": "drilldown.linkToSearch",
    "options": {"query": RECORDS_SEARCH, **RECORDS_TIME, "type": "custom", "newTab": True},
}
#: A column without a width has 90 pixels, and then all grow alike to the width of the panel: so each table has one. The
#: sums fit a window of 1024 pixels, where every header is whole.
TABLE_WIDTHS = {"Flow": 185, "Packet time": 170, "Certainty": 104, "Probability": 120, "Why": 208}
RECORD_WIDTHS = {"Indexed": 94, "Interface": 180, "Record": 500}
ASKED_WIDTHS = {"Event": 330, "Packet times": 130, "Most probable flow": 170, "Probability": 118}
#: Rows on a page, so many as the panels show in a window of 1440 pixels: the numbers of the other pages are in sight.
ASKED_ROWS, TABLE_ROWS, RECORD_ROWS = 5, 8, 5

#: Backgrounds of words in tables: pale, so that the words can be read in both themes.
PALE = {"certain": f"{SEA_GREEN}33", "possible": f"{ORANGE}33", "impossible": f"{GREY}22"}

PANELS: JsonObject = {
    "viz_sentence": sentence("ds_sentence"),
    "viz_note": text_of("ds_sentence", "note"),
    "viz_key": hidden_without_rows({**image("timeline_key.svg"), "dataSources": {"primary": "ds_lanes"}}),
    "viz_lanes": TIMELINE,
    # This one stays if there is nothing, to show an error of the searches.
    "viz_asked": {
        **table(
            "Other events, those without a possible record first (click one to choose it)",
            "ds_asked",
            ASKED_WIDTHS,
            count=ASKED_ROWS,
        ),
        "eventHandlers": [set_tokens(event="row.Event.value")],
    },
    "viz_table": hidden_without_rows(
        {
            **table(
                "Flow records, those that could first (click one to see the raw records of its flow)",
                "ds_table",
                TABLE_WIDTHS,
                coloured="Certainty",
                count=TABLE_ROWS,
            ),
            "context": {"pale": [{"match": name, "value": value} for name, value in PALE.items()]},
            "eventHandlers": [set_tokens(lane="row.Flow.value")],
        }
    ),
    "viz_records": hidden_without_rows(
        {
            **table(
                "Raw records of the chosen flow (click one to open Search)",
                "ds_records",
                RECORD_WIDTHS,
                count=RECORD_ROWS,
            ),
            "eventHandlers": [OPEN_RECORDS],
        }
    ),
    "viz_model": text_of("ds_sentence", "model"),
    "viz_envelope": hidden_without_rows({**image("envelope.svg"), "dataSources": {"primary": "ds_lanes"}}),
}

PACKET_TIME: JsonObject = {
    "title": "Packet time",
    "description": "When the packets of each flow can have passed, and which flows could have carried an event.",
    "inputs": {
        "input_time": time_input("-60m@m,now"),
        "input_flows": FLOWS_INPUT,
        "input_address": text_input("Address", "address", "*"),
        "input_port": text_input("Port", "port", "*"),
        "input_event": dropdown("Event", "event", "ds_choice"),
        "input_lane": text_input("Flow", "lane", "*"),
    },
    "dataSources": SOURCES,
    "visualizations": PANELS,
    "defaults": {"dataSources": TIME_RANGE},
    "layout": {
        "type": "grid",
        "globalInputs": ["input_time", "input_flows", "input_address", "input_port", "input_event", "input_lane"],
        "structure": [
            block("viz_sentence", 0, 0, WIDTH, 76),
            block("viz_note", 0, 76, WIDTH, 56),
            block("viz_key", 0, 132, WIDTH, 44),
            block("viz_lanes", 0, 176, WIDTH, 640),
            block("viz_asked", 0, 816, WIDTH, 330),
            block("viz_table", 0, 1146, WIDTH, 590),
            block("viz_records", 0, 1736, WIDTH, 420),
            block("viz_model", 0, 2156, 620, 270),
            block("viz_envelope", 620, 2156, 580, 270),
        ],
    },
}
