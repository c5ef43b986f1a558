# SPDX-License-Identifier: Apache-2.0
"""The lines of a stream of text: as many at once as have arrived, or one after the other.

Lines end at LF and keep it. A pipe is not waited for: what has arrived is handed on.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from flowlag.errors import LimitError
from flowlag.files.limits import LONGEST_LINE

#: Bytes that are read at once; what is done with them still fits the cache of a processor.
PIECE_BYTES = 64 * 1024

_BOM = "\ufeff"


class LineSource:
    """Lines that were read and are not taken yet; bytes that are not UTF-8 become surrogates.

    If reading fails, the whole lines before the failure come first.
    """

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._cut: list[bytes] = []  # the beginning of a line whose end was not read yet
        self._cut_length = 0
        self._is_begun = self._is_ended = False
        self._lines: list[str] = []
        self._first = 0  # the number in `_lines` of the first line that was not taken

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.count():
            raise StopIteration
        self._first += 1
        return self._lines[self._first - 1]

    def count(self) -> int:
        """How many lines are held; 0 only at the end. Raises LimitError for a line too long for a log."""
        while not self.is_held and not self._is_ended:
            self._lines, self._first = self._read(), 0
        return len(self._lines) - self._first

    @property
    def is_held(self) -> bool:
        """Whether a line is held."""
        return self._first < len(self._lines)

    def look(self, most: int) -> list[str]:
        """The next lines that are held, which are not taken by this."""
        return self._lines[self._first : self._first + most]

    def take(self, count: int) -> None:
        """Take as many of the lines that are held."""
        self._first += count

    def _read(self) -> list[str]:
        """The lines that end in the next piece of the stream."""
        if self._cut_length > LONGEST_LINE:
            raise LimitError(f"one of its lines is longer than {LONGEST_LINE >> 20} MB; check that it is a flow log")
        piece = self._stream.read1(PIECE_BYTES)
        self._is_ended = not piece
        end = piece.rfind(b"\n") + 1
        if piece and not end:
            self._cut.append(piece)
            self._cut_length += len(piece)
            return []
        text = b"".join([*self._cut, piece[:end]]).decode("utf-8", "surrogateescape")
        self._cut, self._cut_length = [piece[end:]], len(piece) - end
        if text and not self._is_begun:
            self._is_begun, text = True, text.removeprefix(_BOM)
        return io.StringIO(text, newline="\n").readlines()
