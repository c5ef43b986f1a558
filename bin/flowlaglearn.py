# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlaglearn; tiny, because Python compiles it at every start."""

from _learn import FlowlagLearnCommand, dispatch

dispatch(FlowlagLearnCommand, module_name=__name__)
