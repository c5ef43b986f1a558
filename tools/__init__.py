# SPDX-License-Identifier: Apache-2.0
"""Tools that build, draw and show the app; none is shipped."""
