# SPDX-License-Identifier: Apache-2.0
"""Owns default/data/ui/views: the XML of the dashboards (`make generated` writes it).

A Dashboard Studio view is JSON inside XML, with every search on one line. packet_time.py, how_late.py and
check_searches.py hold each search as readable SPL, and parts.py holds what they share. Nothing here runs in Splunk;
only the XML is shipped.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from tools.dashboards.check import CHECK
from tools.dashboards.how_late import HOW_LATE
from tools.dashboards.packet_time import PACKET_TIME
from tools.dashboards.parts import JsonObject
from tools.places import GENERATED

VIEWS = {"packet_time": PACKET_TIME, "how_late": HOW_LATE, "check": CHECK}


def write_view(definition: JsonObject) -> str:
    """Return the file of a view."""
    return (
        f'<dashboard version="2" theme="light">\n'
        f"    <!-- {GENERATED} -->\n"
        f"    <label>{escape(definition['title'])}</label>\n"
        f"    <description>{escape(definition['description'])}</description>\n"
        f"    <definition><![CDATA[\n"
        f"{json.dumps(definition, indent=4, ensure_ascii=False)}\n"
        f"    ]]></definition>\n"
        f"</dashboard>\n"
    )
