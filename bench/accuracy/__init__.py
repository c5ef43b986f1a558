# SPDX-License-Identifier: Apache-2.0
"""How right the answers are, where the truth is known."""
