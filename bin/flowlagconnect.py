# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagconnect; tiny, because Python compiles it at every start."""

from _connect import FlowlagConnectCommand, dispatch

dispatch(FlowlagConnectCommand, module_name=__name__)
