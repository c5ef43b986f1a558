# SPDX-License-Identifier: Apache-2.0
"""What builds, draws and shows the app; nothing here is shipped."""
