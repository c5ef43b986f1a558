# SPDX-License-Identifier: Apache-2.0
"""Measurements of speed, and of how right the answers are."""
