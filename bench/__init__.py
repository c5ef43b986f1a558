# SPDX-License-Identifier: Apache-2.0
"""Measurements: how fast the app is, and how right its answers are."""
