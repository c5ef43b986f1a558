# SPDX-License-Identifier: Apache-2.0
"""The search command flowlaglearn: transforming, over the chunked protocol v2."""

from _command import Configuration, GatheringCommand, ReportingCommand, dispatch

from flowlag.learn.options import parse_learn_arguments

__all__ = ["FlowlagLearnCommand", "dispatch"]


@Configuration()
class FlowlagLearnCommand(GatheringCommand, ReportingCommand):
    """Learns the lag of each network interface from events whose time is exact."""

    def configure(self, arguments):
        """Read the options. The SDK's own `prepare`, which this replaces, would set up a map step; there is none."""
        self.settings = parse_learn_arguments(arguments, self.name)
        self.configuration.required_fields = self.settings.input_fields

    def handler(self):
        """A function that gives what was learned in the reply to the last chunk."""
        from flowlag.learn.learner import Learner
        from flowlag.splunk.learn_table import LearnTable

        learner = Learner(self.settings)
        return self.gather(LearnTable(learner), learner)
