# SPDX-License-Identifier: Apache-2.0
"""flowlaglearn: the lag of each interface, learned from events whose time is exact."""
