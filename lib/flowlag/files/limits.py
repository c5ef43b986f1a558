# SPDX-License-Identifier: Apache-2.0
"""How much of a file is read at once: no file fills the memory, or takes longer than its size justifies.

Streams may have any length; these limits are for what must be held in one piece. Authority: docs/shell.md, Limits.
"""

#: Bytes of one line of text, characters of one row of CSV. CloudWatch takes events of 1 MB, Firehose records of 1 MB.
LONGEST_LINE = 16 * 1024 * 1024
#: Characters of one JSON document: several hours of a busy log group in one reply of the AWS CLI.
LONGEST_DOCUMENT = 64 * 1024 * 1024
#: Levels of a JSON document: CloudTrail and OCSF, the deepest that AWS delivers, have about ten.
DEEPEST_DOCUMENT = 100
#: Characters that the fields shared by all events of a CloudWatch document add to them, in all: a few hundred each.
MOST_REPEATED = 256 * 1024 * 1024
#: Columns of CSV: AWS knows fewer than a hundred fields, exports of everything from Splunk have some thousands.
MOST_COLUMNS = 10_000
#: How many times its size a file may unpack to, in gzip (all layers together) or Parquet. Flow logs reach 10 to 40.
MOST_UNPACKED = 250
#: How many bytes any file may unpack to, whatever its size.
FREE_UNPACKED = 64 * 1024 * 1024
#: Bytes of a row group of Parquet, unpacked: writers aim at 128 MB.
LARGEST_ROW_GROUP = 512 * 1024 * 1024
#: Bytes of a fixed-length value of Parquet: UUIDs have 16, decimals up to 32.
LONGEST_FIXED_VALUE = 65_536
