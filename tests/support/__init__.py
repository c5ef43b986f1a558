# SPDX-License-Identifier: Apache-2.0
"""What several tests stand on: a stand-in for splunkd, oracles, strategies, readers of conf files."""
