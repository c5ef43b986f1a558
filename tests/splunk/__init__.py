# SPDX-License-Identifier: Apache-2.0
"""The wire: bytes of chunks, and the packaged commands as processes."""
