# SPDX-License-Identifier: Apache-2.0
"""What the search commands have in common: options left to flowlag's own parsers, bytes in and bytes out, one sentence
to the user when something is wrong. A command adds `configure`, which reads its options, and `answerer`.
"""

import sys

# first, since it sets the module path; and the commands take all they need from here: bin/ is off the path from then on
from _sdk import Configuration, ReportingCommand, StreamingCommand, dispatch

__all__ = ["BytesCommand", "Configuration", "GatheringCommand", "ReportingCommand", "StreamingCommand", "dispatch"]


class BytesCommand:
    """Stands before one of the SDK's command classes, and takes the place of its option parser and its loops."""

    def process(self, argv=(), ifile=None, ofile=None, allow_empty_input=True):
        """Hold one search over the two pipes; arguments of the process (of an older protocol) count for nothing."""
        from flowlag.splunk.session import hold

        sys.exit(hold(self, ifile and ifile.buffer, ofile and ofile.buffer))

    def describe(self):
        """The reply to getinfo: what the SDK makes of the configuration."""
        self._protocol_version = 2
        return dict(self.configuration.items())

    def warn(self, sentence):
        """The messages of a reply: the sentence, if there is one."""
        return [("WARN", f"{self.name}: {sentence}")] if sentence else []


class GatheringCommand(BytesCommand):
    """Stands before the SDK's ReportingCommand, for what needs all events before it can say anything."""

    def reduce(self, records):
        """Never called: the SDK would call it for each chunk."""
        raise NotImplementedError

    def gather(self, table, source):
        """What takes every request body with an empty reply, and gives the table in the reply to the last one."""

        def answer(body, finished):
            table.feed(b"".join(body))
            return ([table.close()], self.warn(source.warning())) if finished else ([], [])

        return answer
