# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagmatch: transforming, over the chunked protocol v2."""

from _command import Configuration, GatheringCommand, ReportingCommand, dispatch

from flowlag.match.options import parse_match_arguments

__all__ = ["FlowlagMatchCommand", "dispatch"]


@Configuration()
class FlowlagMatchCommand(GatheringCommand, ReportingCommand):
    """Finds the flows that can belong to other events, if the times of both are intervals."""

    def configure(self, arguments):
        """Read the options. The SDK's own `prepare`, which this replaces, would set up a map step; there is none."""
        self.settings = parse_match_arguments(arguments, self.name)
        self.configuration.required_fields = ["*"]

    def handler(self):
        """A function that gives the pairs in the reply to the last chunk."""
        from flowlag.match.matcher import Matcher
        from flowlag.splunk.lookup import load_lags
        from flowlag.splunk.match_table import MatchTable

        matcher = Matcher(self.settings, load_lags(None) if self.settings.rank == "probability" else None)
        return self.gather(MatchTable(matcher), matcher)
