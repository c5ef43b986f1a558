# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagmatch: transforming, over the chunked protocol v2."""

from _command import BytesCommand, Configuration, ReportingCommand, dispatch

from flowlag.match_settings import parse_match_arguments

__all__ = ["FlowlagMatchCommand", "dispatch"]


@Configuration()
class FlowlagMatchCommand(BytesCommand, ReportingCommand):
    """Tells which flows could belong to which other events, when the times of both are intervals."""

    def configure(self, arguments):
        """Read the options. The SDK's own prepare, which this replaces, would ask for a map phase: there is none."""
        self.settings = parse_match_arguments(arguments, self.name)
        self.configuration.required_fields = ["*"]

    def reduce(self, records):
        """Never called: the SDK would call it for each chunk, while pairs need all events."""
        raise NotImplementedError

    def answerer(self):
        """What takes every request body with an empty reply, and gives all pairs in the reply to the last one."""
        from flowlag.match import Matcher
        from flowlag.pairs import PairTable

        matcher = Matcher(self.settings)
        table = PairTable(matcher)

        def answer(body, finished):
            table.feed(b"".join(body))
            return ([table.close()], self.warn(matcher.warning())) if finished else ([], [])

        return answer
