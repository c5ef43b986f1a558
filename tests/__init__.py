# SPDX-License-Identifier: Apache-2.0
"""The tests; README.md beside this file says what each folder proves."""
