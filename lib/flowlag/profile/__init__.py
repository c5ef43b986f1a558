# SPDX-License-Identifier: Apache-2.0
"""flowlagprofile: how each interface stamps its records, and how late they arrive."""
