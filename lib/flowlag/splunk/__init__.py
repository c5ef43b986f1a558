# SPDX-License-Identifier: Apache-2.0
"""The wire: Splunk's chunked protocol, and CSV bytes in and out."""
