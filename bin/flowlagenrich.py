# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagenrich; tiny, since Python compiles the script itself at every start."""

from _enrich import FlowlagEnrichCommand, dispatch

dispatch(FlowlagEnrichCommand, module_name=__name__)
