# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagenrich: distributable streaming, over the chunked protocol v2."""

import sys

from _sdk import Configuration, StreamingCommand

from flowlag.errors import FlowlagError, SettingsError
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
        self.settings = settings
        self.configuration.required_fields = settings.input_fields

    def stream(self, records):
        """The plain path, event by event: the reference for what _execute does on bytes."""
        from flowlag.enrich import Enricher

        return Enricher(self.settings).rows(records)

    def _execute(self, ifile, process):
        # imported here, since splunkd starts the command several times for one search, mostly for getinfo alone
        from flowlag.chunks import ChunkTagger
        from flowlag.enrich import Enricher
        from flowlag.frames import serve

        self._record_writer.is_flushed = False  # so that an error from here on is sent
        enricher = Enricher(self.settings)
        tagger = ChunkTagger(enricher)

        def answer(body, finished):
            reply = tagger.tag_pieces(body)
            warning = enricher.warning() if finished else None
            return reply, [("WARN", f"{self.name}: {warning}")] if warning else []

        try:
            serve(self._as_binary_stream(ifile), self._record_writer.ofile, answer)
        except FlowlagError as error:
            self._stop(error)

    def _stop(self, error):
        self.write_error("{}", f"{self.name}: {error}")
        sys.exit(1)
