# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagconnect: transforming, over the chunked protocol v2."""

from _command import Configuration, GatheringCommand, ReportingCommand, dispatch

from flowlag.connect.options import parse_connect_arguments

__all__ = ["FlowlagConnectCommand", "dispatch"]


@Configuration()
class FlowlagConnectCommand(GatheringCommand, ReportingCommand):
    """Tells which flow log records are of one connection, and when each connection began and ended."""

    def configure(self, arguments):
        """Read the options. The SDK's own `prepare`, which this replaces, would set up a map step; there is none."""
        self.settings = parse_connect_arguments(arguments, self.name)
        self.configuration.required_fields = self.settings.input_fields

    def handler(self):
        """A function that gives the connections in the reply to the last chunk."""
        from flowlag.connect.connector import Connector
        from flowlag.splunk.connect_table import ConnectTable

        connector = Connector(self.settings)
        return self.gather(ConnectTable(connector), connector)
