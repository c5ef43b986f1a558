# SPDX-License-Identifier: Apache-2.0
"""Files in every shape that AWS delivers."""
