# SPDX-License-Identifier: Apache-2.0
"""The correlation searches on events whose truth is known."""
