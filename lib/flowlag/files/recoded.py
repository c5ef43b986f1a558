# SPDX-License-Identifier: Apache-2.0
"""Streams in another code: UTF-16 text as UTF-8, and zstd, unpacked with a package that is optional.

Authority: docs/shell.md, Input; RFC 8878 (zstd), the Unicode Standard, 3.10 (byte order mark).
"""

from __future__ import annotations

import codecs
import io
from typing import Any, Callable

from flowlag.errors import LimitError, SourceError
from flowlag.files.limits import FREE_UNPACKED, MOST_UNPACKED

_PIECE_BYTES = 65536
#: Unpacked at once: a block of zstd has four bytes at least, and unpacks to 128 kB at most.
_PACKED_BYTES = 1024
#: The largest window of zstd that is unpacked, in bytes: that of `zstd --ultra`. More needs `zstd --long`.
LARGEST_WINDOW = 128 * 1024 * 1024


class Utf16(io.RawIOBase):
    """UTF-16 with a byte order mark as UTF-8; what is no character becomes U+FFFD."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-16")("replace").decode
        self._held = b""
        self._is_last = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held and not self._is_last:
            piece = self._stream.read1(_PIECE_BYTES)
            self._is_last = not piece
            self._held = self._decode(piece, self._is_last).encode("utf-8", "replace")
        piece, self._held = self._held[: len(buffer)], self._held[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


class _Zstd(io.RawIOBase):
    """The content of zstd frames back to back; raises EOFError if the last one ends too early.

    And LimitError if the output is out of proportion to the size of the file, OSError if it is damaged.
    """

    def __init__(self, stream: io.BufferedIOBase, zstandard: Any, count_packed: Callable[[], int]) -> None:
        self._stream = stream
        self._make = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW).decompressobj
        self._damage: type[Exception] = zstandard.ZstdError
        self._count_packed = count_packed
        self._count = 0
        self._frame: Any = None
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._held:
            packed = self._stream.read1(_PACKED_BYTES)
            if not packed:
                if self._frame is not None:
                    raise EOFError
                return 0
            self._held = self._unpack(packed)
            self._count += len(self._held)
            if self._count > FREE_UNPACKED and self._count > MOST_UNPACKED * self._count_packed():
                raise LimitError(
                    f"it unpacks to more than {MOST_UNPACKED} times its size; if that is right, unpack it first"
                )
        piece, self._held = self._held[: len(buffer)], self._held[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def _unpack(self, packed: bytes) -> bytes:
        found = b""
        try:
            while packed:
                self._frame = self._frame or self._make()
                found += self._frame.decompress(packed)
                packed = self._frame.unused_data if self._frame.eof else b""
                self._frame = None if self._frame.eof else self._frame
        except self._damage as error:
            raise OSError(f"zstd: {error}") from error
        return found


def open_zstd(name: str, stream: io.BufferedIOBase, count_packed: Callable[[], int]) -> io.RawIOBase:
    """The content of zstd frames; raises SourceError if the package that unpacks them is not installed."""
    try:
        import zstandard
    except ImportError as error:
        raise SourceError(
            f"{name}: this is a zstd archive, and zstandard, which unpacks it, is not installed; "
            "run `pip install zstandard` (or install flowlag[zstd])"
        ) from error
    return _Zstd(stream, zstandard, count_packed)
