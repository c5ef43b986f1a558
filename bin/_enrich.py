# SPDX-License-Identifier: Apache-2.0
"""The search command flowlagenrich: distributable streaming, over the chunked protocol v2."""

from _command import BytesCommand, Configuration, StreamingCommand, dispatch

from flowlag.enrich_options import parse_arguments

__all__ = ["FlowlagEnrichCommand", "dispatch"]


@Configuration(distributed=True)
class FlowlagEnrichCommand(BytesCommand, StreamingCommand):
    """Tags each flow log event with the interval in which its packets can have passed."""

    def configure(self, arguments):
        """Read the options, and ask for the fields that they need."""
        self.settings = parse_arguments(arguments, self.name)
        self.configuration.required_fields = self.settings.input_fields

    def stream(self, records):
        """The plain path, event by event: the reference for the path on bytes."""
        from flowlag.enrich import Enricher
        from flowlag.splunk.lookup import load_learned

        return Enricher(self.settings, *load_learned(self.settings)).rows(records)

    def handler(self):
        """A function from a request body to its reply: the same bytes plus the tags, and one warning at the end."""
        from flowlag.enrich import Enricher
        from flowlag.splunk.enrich_table import EnrichTable
        from flowlag.splunk.lookup import load_learned

        enricher = Enricher(self.settings, *load_learned(self.settings))
        tagger = EnrichTable(enricher)

        def handle(body, finished):
            reply = tagger.tag_pieces(body)
            return reply, self.warn(enricher.warning() if finished else None)

        return handle
