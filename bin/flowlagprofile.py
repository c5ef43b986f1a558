# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagprofile; tiny, since Python compiles the script itself at every start."""

from _profile import FlowlagProfileCommand, dispatch

dispatch(FlowlagProfileCommand, module_name=__name__)
