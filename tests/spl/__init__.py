# SPDX-License-Identifier: Apache-2.0
"""An interpreter of the part of SPL that the app uses; it refuses everything else."""
