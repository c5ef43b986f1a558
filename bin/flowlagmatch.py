# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagmatch; tiny, since Python compiles the script itself at every start."""

from _match import FlowlagMatchCommand, dispatch

dispatch(FlowlagMatchCommand, module_name=__name__)
