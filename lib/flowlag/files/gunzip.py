# SPDX-License-Identifier: Apache-2.0
"""One layer of gzip, unpacked as a stream that knows limits.

Authority: docs/shell.md, Limits; RFC 1952 (members may follow each other).
"""

from __future__ import annotations

import io
import zlib
from typing import Any, Callable, Optional

from flowlag.errors import LimitError
from flowlag.files.limits import FREE_UNPACKED, MOST_UNPACKED

_GZIP_BITS = 31  # tells zlib to expect a gzip member, header and checksum included
_PACKED_BYTES = 8192


class Gunzip(io.RawIOBase):
    """The content of a layer of gzip: its members back to back, without the zeros between them.

    The gzip module reads members and zeros byte by byte, of which a small file may have a hundred million, and has no
    limit. This class raises LimitError if the output is out of proportion to the size of the file.
    """

    def __init__(self, stream: io.BufferedIOBase, count_packed: Callable[[], int]) -> None:
        self._stream = stream
        self._count_packed = count_packed
        self._count = 0
        self._packed = b""
        self._member: Any = None  # of zlib
        self._failure: Optional[zlib.error] = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._unpack(len(buffer))
        buffer[: len(piece)] = piece
        self._count += len(piece)
        if self._count > FREE_UNPACKED and self._count > MOST_UNPACKED * self._count_packed():
            raise LimitError(
                f"it unpacks to more than {MOST_UNPACKED} times its size; if that is right, unpack it first"
            )
        return len(piece)

    def _unpack(self, size: int) -> bytes:
        """The next bytes, at most `size`, none at the end; raises EOFError, or zlib.error after what can be read."""
        piece = b""
        while not piece:
            if self._failure:
                raise self._failure
            self._packed = self._packed or self._stream.read1(_PACKED_BYTES)
            is_end = not self._packed
            if self._member is None:
                if is_end:
                    return b""
                self._packed = self._packed.lstrip(b"\0")
                if self._packed:
                    self._member = zlib.decompressobj(_GZIP_BITS)
                continue
            piece = self._unpack_member(size)
            if is_end and not piece:
                raise EOFError
        return piece

    def _unpack_member(self, size: int) -> bytes:
        before = self._member.copy()
        try:
            piece: bytes = self._member.decompress(self._packed, size)
        except zlib.error as error:
            self._failure = error
            return _salvage(before, self._packed, size)
        if self._member.eof:
            self._packed, self._member = self._member.unused_data, None
        else:
            self._packed = self._member.unconsumed_tail
        return piece


def _salvage(member: Any, packed: bytes, size: int) -> bytes:
    """The content of a member up to the byte at which it is damaged."""
    found = bytearray()
    for i in range(len(packed)):
        try:
            found += member.decompress(packed[i : i + 1], size - len(found))
        except zlib.error:
            break
        if len(found) >= size:
            break
    return bytes(found)
