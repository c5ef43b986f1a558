# SPDX-License-Identifier: Apache-2.0
"""flowlag: when the packets of an AWS VPC flow log record can have passed."""

__version__ = "0.1.0"
