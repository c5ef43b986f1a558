# SPDX-License-Identifier: Apache-2.0
"""flowlagconnect: the records of one connection, and when it can have begun and ended."""
