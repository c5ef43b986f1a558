# SPDX-License-Identifier: Apache-2.0
"""The dashboards and their pictures, as code."""
