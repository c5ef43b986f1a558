# SPDX-License-Identifier: Apache-2.0
"""Scenarios whose truth is known, and the sample files made of them."""
