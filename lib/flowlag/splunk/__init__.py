# SPDX-License-Identifier: Apache-2.0
"""The wire: Splunk's chunked protocol, and bytes of CSV in and out."""
