# SPDX-License-Identifier: Apache-2.0
"""The app around the code: conf files, package, documents, scenarios."""
