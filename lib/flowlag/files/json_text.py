# SPDX-License-Identifier: Apache-2.0
"""The text of a JSON file, as far as it is held: where its documents begin and end, whatever is broken in between."""

from __future__ import annotations

import codecs
import io
import json
import zlib
from typing import Any, Optional

from flowlag.errors import LimitError
from flowlag.files.alike import DECODER, read_alike
from flowlag.files.batches import Columns
from flowlag.files.limits import LONGEST_DOCUMENT
from flowlag.files.line_source import PIECE_BYTES

#: What reading or unpacking a file may raise if the file is damaged or beyond a limit.
DAMAGE = (OSError, EOFError, zlib.error, LimitError)
#: How much text may be parsed in vain, looking for the ends of broken documents: so many times what was read, plus so
#: many characters. Beyond that, a document has to be on one line.
MOST_WASTED, FREE_WASTED = 8, 1024 * 1024
#: Characters of lines whose documents are read together.
LONGEST_ALIKE = 256 * 1024

_BETWEEN_DOCUMENTS = " \t\r\n\0\ufeff\x1e,"  # 0x1e: RFC 7464


class JsonText:
    """The part of a JSON file that is held; the text from `offset` on is still to be read."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self.text = ""
        self.offset = 0
        self.is_last = False
        self.failure: Optional[Exception] = None
        self._allowance = FREE_WASTED
        self._tried = 0  # up to where documents are read one by one
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode

    def fill(self) -> None:
        """Read at least as much again as is held; damage is kept in `failure` until the text before it is read."""
        pieces = [self.text[self.offset :]]
        if len(pieces[0]) > LONGEST_DOCUMENT:
            size = f"{LONGEST_DOCUMENT >> 20} MB"
            self.failure = LimitError(f"one of its JSON documents is longer than {size}; write each event on a line")
            self.is_last = True
        wanted = max(1, min(len(pieces[0]), LONGEST_DOCUMENT - len(pieces[0])))
        try:
            while wanted > 0 and not self.is_last:
                piece = self._stream.read1(PIECE_BYTES)
                self.is_last = not piece
                pieces.append(self._decode(piece, self.is_last))
                wanted -= len(piece)
                self._allowance += MOST_WASTED * len(piece)
        except DAMAGE as error:
            self.failure, self.is_last = error, True
        self._tried = max(0, self._tried - self.offset)
        self.text, self.offset = "".join(pieces), 0

    def take_alike(self) -> Optional[Columns]:
        """The columns of the documents on the next whole lines, if there are several and all are alike; else None.

        What could not be read like this is tried again only behind it, or in smaller parts.
        """
        start = self.offset
        if start < self._tried:
            return None
        end = self.text.rfind("\n", start, start + LONGEST_ALIKE)
        if end < 0:
            return None
        columns = read_alike(self.text[start:end])
        if columns is None:
            self._tried = start + (end - start) // 4
        else:
            self.offset = end
        return columns

    def skip_separators(self) -> bool:
        """Go to the next document or line; False if the text held has none."""
        while self.offset < len(self.text) and self.text[self.offset] in _BETWEEN_DOCUMENTS:
            self.offset += 1
        return self.offset < len(self.text)

    def decode(self) -> tuple[Any, int]:
        """The document at `offset` and its end; an end of 0 says that it is broken, -1 that more text is needed."""
        if self.text[self.offset] not in "{[":
            return None, 0
        if self._allowance < 0:
            return self._decode_line()
        try:
            return DECODER.raw_decode(self.text, self.offset)
        except json.JSONDecodeError as error:
            # an error this close to the end may be a word or an escape that goes on in the next block
            is_cut = error.msg.startswith("Unterminated string") or error.pos > len(self.text) - 16
            if is_cut and not self.is_last:
                return None, -1
            self._allowance -= error.pos - self.offset
        except RecursionError:
            self._allowance -= len(self.text) - self.offset
        return None, 0

    def _decode_line(self) -> tuple[Any, int]:
        """As decode, but only if the document ends on its first line."""
        line_end = self.text.find("\n", self.offset)
        if line_end < 0 and not self.is_last:
            return None, -1
        try:
            document, size = DECODER.raw_decode(self.text[self.offset : line_end if line_end >= 0 else None])
        except (json.JSONDecodeError, RecursionError):
            return None, 0
        return document, self.offset + size
