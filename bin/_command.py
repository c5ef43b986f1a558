# SPDX-License-Identifier: Apache-2.0
"""The shared part of the search commands: flowlag's own session and option parsers, not the SDK's.

A command adds `configure`, which reads its options, and `handler`, which returns the function that makes its replies.
"""

import sys

# This comes first: it sets the module path, and takes bin/ off it, so the commands import everything from here.
from _sdk import Configuration, ReportingCommand, StreamingCommand, dispatch

__all__ = ["BytesCommand", "Configuration", "GatheringCommand", "ReportingCommand", "StreamingCommand", "dispatch"]


class BytesCommand:
    """Goes before one of the SDK's command classes, and replaces its option parser and its loops."""

    def process(self, argv=(), ifile=None, ofile=None, allow_empty_input=True):
        """Run one search over the two pipes; arguments of the process, which an older protocol has, are ignored."""
        from flowlag.splunk.session import hold

        sys.exit(hold(self, ifile and ifile.buffer, ofile and ofile.buffer))

    def describe(self):
        """The reply to getinfo, as the SDK makes it from the configuration."""
        self._protocol_version = 2
        return dict(self.configuration.items())

    def warn(self, sentence):
        """The messages of a reply: the sentence, if there is one."""
        return [("WARN", f"{self.name}: {sentence}")] if sentence else []


class GatheringCommand(BytesCommand):
    """Goes before the SDK's ReportingCommand, for commands that need all events first."""

    def reduce(self, records):
        """The SDK would call this for each chunk; flowlag never does."""
        raise NotImplementedError

    def gather(self, table, source):
        """A function that gives the table in the reply to the last request body, and empty replies before it."""

        def handle(body, finished):
            table.feed(b"".join(body))
            return ([table.close()], self.warn(source.warning())) if finished else ([], [])

        return handle
