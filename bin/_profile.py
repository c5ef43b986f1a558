# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagprofile: transforming, over the chunked protocol v2."""

from _command import Configuration, GatheringCommand, ReportingCommand, dispatch

from flowlag.profile.options import parse_profile_arguments

__all__ = ["FlowlagProfileCommand", "dispatch"]


@Configuration()
class FlowlagProfileCommand(GatheringCommand, ReportingCommand):
    """Tells how each network interface stamps its flow log records, and how late they arrive."""

    def configure(self, arguments):
        """Read the options. The SDK's own `prepare`, which this replaces, would set up a map step; there is none."""
        self.settings = parse_profile_arguments(arguments, self.name)
        self.configuration.required_fields = self.settings.input_fields

    def handler(self):
        """A function that gives the profile in the reply to the last chunk."""
        from flowlag.profile.profiler import Profiler
        from flowlag.splunk.profile_table import ProfileTable

        profiler = Profiler(self.settings)
        return self.gather(ProfileTable(profiler), profiler)
