# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagprofile: a transforming command over the chunked protocol v2."""

import sys

import _path  # noqa: F401 - sets the module path
from splunklib.searchcommands import Configuration, ReportingCommand, dispatch

from flowlag.errors import FlowlagError, SettingsError
from flowlag.frames import serve
from flowlag.profile import Profiler
from flowlag.profile_settings import parse_profile_arguments
from flowlag.profile_table import ProfileTable


@Configuration()
class FlowlagProfileCommand(ReportingCommand):
    """Tells how each network interface stamps its flow log records, and how late they arrive."""

    def _protocol_v2_option_parser(self, arg):
        """Leave every argument to parse_profile_arguments: it says what is allowed, and refuses the SDK's options."""
        return [arg]

    def prepare(self):
        """Read the options during getinfo. The SDK's own prepare would ask for a map phase, and there is none."""
        try:
            settings = parse_profile_arguments(self.fieldnames, self.name)
            self.profiler = Profiler(settings)
            self.configuration.required_fields = settings.input_fields
        except SettingsError as error:
            self._stop(error)

    def reduce(self, records):
        """Never called: the SDK would call it for each chunk, while a profile needs all events; see _execute."""
        raise NotImplementedError

    def _execute(self, ifile, process):
        """Take every chunk with an empty reply, and give the profile in the reply to the last one."""
        self._record_writer.is_flushed = False  # so that an error from here on is sent
        table = ProfileTable(self.profiler)

        def answer(body, finished):
            table.feed(body)
            if not finished:
                return b"", []
            reply = table.close()
            warning = self.profiler.warning()
            return reply, [("WARN", f"{self.name}: {warning}")] if warning else []

        try:
            serve(self._as_binary_stream(ifile), self._record_writer.ofile, answer)
        except FlowlagError as error:
            self._stop(error)

    def _stop(self, error):
        self.write_error("{}", f"{self.name}: {error}")
        sys.exit(1)


dispatch(FlowlagProfileCommand, module_name=__name__)
