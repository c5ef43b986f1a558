# SPDX-License-Identifier: Apache-2.0
"""What the search commands have in common: options left to flowlag's own parsers, bytes in and bytes out, one sentence
to the user when something is wrong. A command adds `configure`, which reads its options, and `answerer`.
"""

import sys

# first, since it sets the module path; and the commands take all they need from here: bin/ is off the path from then on
from _sdk import Configuration, ReportingCommand, StreamingCommand, dispatch

from flowlag.errors import FlowlagError, SettingsError

__all__ = ["BytesCommand", "Configuration", "GatheringCommand", "ReportingCommand", "StreamingCommand", "dispatch"]


class BytesCommand:
    """Stands before one of the SDK's command classes, and takes the place of its option parser and its loop."""

    def _protocol_v2_option_parser(self, arg):
        """Leave every argument to `configure`: it says what is allowed, and refuses the SDK's own options."""
        return [arg]

    def prepare(self):
        """Read the options during getinfo; a wrong one ends the search here, before its first event."""
        try:
            self.configure(self.fieldnames)
        except SettingsError as error:
            self._stop(error)

    def _execute(self, ifile, process):
        # imported here, since splunkd starts the command several times for one search, mostly for getinfo alone
        from flowlag.frames import serve

        self._record_writer.is_flushed = False  # so that an error from here on is sent
        try:
            serve(self._as_binary_stream(ifile), self._record_writer.ofile, self.answerer())
        except FlowlagError as error:
            self._stop(error)

    def write_error(self, message, *args):
        """As the SDK does, which takes braces in a text for places to fill in, and fails where nothing is for them."""
        super().write_error("{}", message.format(*args) if args else message)

    def warn(self, sentence):
        """The messages of a reply: the sentence, if there is one."""
        return [("WARN", f"{self.name}: {sentence}")] if sentence else []

    def _stop(self, error):
        self.write_error("{}", f"{self.name}: {error}")
        sys.exit(1)


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
