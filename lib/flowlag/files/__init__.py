# SPDX-License-Identifier: Apache-2.0
"""The inputs of the shell: records in every shape that AWS delivers."""
