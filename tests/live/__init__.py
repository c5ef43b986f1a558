# SPDX-License-Identifier: Apache-2.0
"""The live suite: what only a Splunk instance can show. `make live` runs it; `make test` proves its machinery offline."""
