# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagmatch: a transforming command over the chunked protocol v2."""

import sys

import _path  # noqa: F401 - sets the module path
from splunklib.searchcommands import Configuration, ReportingCommand, dispatch

from flowlag.errors import FlowlagError, SettingsError
from flowlag.frames import serve
from flowlag.match import Matcher
from flowlag.match_settings import parse_match_arguments
from flowlag.pairs import PairTable


@Configuration()
class FlowlagMatchCommand(ReportingCommand):
    """Tells which flows could belong to which other events, when the times of both are intervals."""

    def _protocol_v2_option_parser(self, arg):
        """Leave every argument to parse_match_arguments: it says what is allowed, and refuses the SDK's own options."""
        return [arg]

    def prepare(self):
        """Read the options during getinfo. The SDK's own prepare would ask for a map phase, and there is none."""
        try:
            self.matcher = Matcher(parse_match_arguments(self.fieldnames, self.name))
            self.configuration.required_fields = ["*"]
        except SettingsError as error:
            self._stop(error)

    def reduce(self, records):
        """Never called: the SDK would call it for each chunk, while pairs need all events; see _execute."""
        raise NotImplementedError

    def _execute(self, ifile, process):
        """Take every chunk with an empty reply, and give all pairs in the reply to the last one."""
        self._record_writer.is_flushed = False  # so that an error from here on is sent
        table = PairTable(self.matcher)

        def answer(body, finished):
            table.feed(body)
            if not finished:
                return b"", []
            reply = table.close()
            warning = self.matcher.warning()
            return reply, [("WARN", f"{self.name}: {warning}")] if warning else []

        try:
            serve(self._as_binary_stream(ifile), self._record_writer.ofile, answer)
        except FlowlagError as error:
            self._stop(error)

    def _stop(self, error):
        self.write_error("{}", f"{self.name}: {error}")
        sys.exit(1)


dispatch(FlowlagMatchCommand, module_name=__name__)
