# SPDX-License-Identifier: Apache-2.0
"""The two dashboards and their pictures, as code."""
