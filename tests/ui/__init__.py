# SPDX-License-Identifier: Apache-2.0
"""The app's views, drawn by Splunk's own renderer in a headless browser."""
