# SPDX-License-Identifier: Apache-2.0
"""The inputs of the shell: files in every shape that AWS delivers."""
