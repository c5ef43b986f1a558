# SPDX-License-Identifier: Apache-2.0
"""The app's knowledge objects by pytest-splunk-addon: its plug-in makes a test of each object that its parser finds."""

from pytest_splunk_addon.standard_lib.addon_basic import Basic


class Test_App(Basic):
    """The standard tests, none of our own; the plug-in wants the name."""

    def empty_method(self):
        """The plug-in's documents ask for it."""
