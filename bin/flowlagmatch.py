# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagmatch; tiny, because Python compiles it at every start."""

from _match import FlowlagMatchCommand, dispatch

dispatch(FlowlagMatchCommand, module_name=__name__)
