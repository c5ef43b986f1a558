# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagprofile: transforming, over the chunked protocol v2."""

from _command import BytesCommand, Configuration, ReportingCommand, dispatch

from flowlag.profile_settings import parse_profile_arguments

__all__ = ["FlowlagProfileCommand", "dispatch"]


@Configuration()
class FlowlagProfileCommand(BytesCommand, ReportingCommand):
    """Tells how each network interface stamps its flow log records, and how late they arrive."""

    def configure(self, arguments):
        """Read the options. The SDK's own prepare, which this replaces, would ask for a map phase: there is none."""
        self.settings = parse_profile_arguments(arguments, self.name)
        self.configuration.required_fields = self.settings.input_fields

    def reduce(self, records):
        """Never called: the SDK would call it for each chunk, while a profile needs all events."""
        raise NotImplementedError

    def answerer(self):
        """What takes every request body with an empty reply, and gives the profile in the reply to the last one."""
        from flowlag.profile import Profiler
        from flowlag.profile_table import ProfileTable

        profiler = Profiler(self.settings)
        table = ProfileTable(profiler)

        def answer(body, finished):
            table.feed(b"".join(body))
            return ([table.close()], self.warn(profiler.warning())) if finished else ([], [])

        return answer
