# SPDX-License-Identifier: Apache-2.0
"""flowlagmatch: which flows could belong to which other events, and how probable each is."""
