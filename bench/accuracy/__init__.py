# SPDX-License-Identifier: Apache-2.0
"""Measurements of how right the answers are, on traffic whose truth is known."""
