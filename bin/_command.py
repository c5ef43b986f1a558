# SPDX-License-Identifier: Apache-2.0
"""The shared part of the search commands: flowlag's own option parsers, bytes in and bytes out, errors in one sentence.

A command adds `configure`, which reads its options, and `answerer`.
"""

import sys

# This comes first, since it sets the module path. It takes bin/ off the path, so the commands import all from here.
from _sdk import Configuration, ReportingCommand, StreamingCommand, dispatch

__all__ = ["BytesCommand", "Configuration", "GatheringCommand", "ReportingCommand", "StreamingCommand", "dispatch"]


class BytesCommand:
    """Goes before one of the SDK's command classes, and replaces its option parser and its loops."""

    def process(self, argv=(), ifile=None, ofile=None, allow_empty_input=True):
        """Run one search over the two pipes; arguments of the process (an older protocol has them) are ignored."""
        from flowlag.splunk.session import hold

        sys.exit(hold(self, ifile and ifile.buffer, ofile and ofile.buffer))

    def describe(self):
        """The reply to getinfo, as the SDK makes it from the configuration."""
        self._protocol_version = 2
        return dict(self.configuration.items())

    def warn(self, sentence):
        """The messages of a reply: the sentence, if any."""
        return [("WARN", f"{self.name}: {sentence}")] if sentence else []


class GatheringCommand(BytesCommand):
    """Goes before the SDK's ReportingCommand, for commands that need all events before they can answer."""

    def reduce(self, records):
        """Is never called; the SDK would call it for each chunk."""
        raise NotImplementedError

    def gather(self, table, source):
        """A function that answers each request body with an empty reply, and the last one with the table."""

        def answer(body, finished):
            table.feed(b"".join(body))
            return ([table.close()], self.warn(source.warning())) if finished else ([], [])

        return answer
