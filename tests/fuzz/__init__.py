# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets for every entrance, and the inputs that were kept."""
