# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagprofile; tiny, because Python compiles it at every start."""

from _profile import FlowlagProfileCommand, dispatch

dispatch(FlowlagProfileCommand, module_name=__name__)
