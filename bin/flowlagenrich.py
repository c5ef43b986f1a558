# SPDX-License-Identifier: Apache-2.0
"""Splunk's entrance to flowlagenrich: a distributable streaming command over the chunked protocol v2."""

import sys

import _path  # noqa: F401 - sets the module path
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch

from flowlag.chunks import ChunkTagger
from flowlag.enrich import Enricher
from flowlag.errors import FlowlagError, SettingsError
from flowlag.frames import serve
from flowlag.lookup import load_windows
from flowlag.settings import parse_arguments


@Configuration(distributed=True)
class FlowlagEnrichCommand(StreamingCommand):
    """Tags each flow log event with the interval in which its packets can have passed."""

    def _protocol_v2_option_parser(self, arg):
        """Leave every argument to parse_arguments: it says what is allowed, and refuses the SDK's own options."""
        return [arg]

    def prepare(self):
        """Read the options during getinfo; a wrong one ends the search here, before its first event."""
        try:
            settings = parse_arguments(self.fieldnames, self.name)
        except SettingsError as error:
            self._stop(error)
        self.enricher = Enricher(settings, load_windows(settings))
        self.configuration.required_fields = settings.input_fields

    def stream(self, records):
        """The plain path, event by event: the reference for what _execute does on bytes."""
        return self.enricher.rows(records)

    def _execute(self, ifile, process):
        self._record_writer.is_flushed = False  # so that an error from here on is sent
        tagger = ChunkTagger(self.enricher)

        def answer(body, finished):
            reply = tagger.tag(body)
            warning = self.enricher.warning() if finished else None
            return reply, [("WARN", f"{self.name}: {warning}")] if warning else []

        try:
            serve(self._as_binary_stream(ifile), self._record_writer.ofile, answer)
        except FlowlagError as error:
            self._stop(error)

    def _stop(self, error):
        self.write_error("{}", f"{self.name}: {error}")
        sys.exit(1)


dispatch(FlowlagEnrichCommand, module_name=__name__)
