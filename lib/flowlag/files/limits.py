# SPDX-License-Identifier: Apache-2.0
"""What is read of a file, so that none can fill the memory, or take longer than its size justifies.

Streams of any length are read: these limit what has to be held in one piece.
"""

#: Bytes of one line of text, characters of one row of CSV. CloudWatch takes events of 1 MB, Firehose records of 1 MB.
LONGEST_LINE = 16 * 1024 * 1024
#: Characters of one JSON document: several hours of a busy log group in one answer of the AWS CLI.
LONGEST_DOCUMENT = 64 * 1024 * 1024
#: Levels of a JSON document: CloudTrail and OCSF, the deepest that AWS delivers, have about ten.
DEEPEST_DOCUMENT = 100
#: Characters that the events of one document get in all from what CloudWatch says of all of them: a few hundred each.
MOST_REPEATED = 256 * 1024 * 1024
#: Columns of CSV: AWS knows fewer than a hundred fields, exports of everything from Splunk some thousands.
MOST_COLUMNS = 10_000
#: What gzip, all its layers together, or Parquet may unpack to: so many times its size (flow logs reach 10 to 40), or
MOST_UNPACKED = 250
#: so many bytes, whatever their size.
FREE_UNPACKED = 64 * 1024 * 1024
#: Bytes of a row group of Parquet, unpacked: writers aim at 128 MB.
LARGEST_ROW_GROUP = 512 * 1024 * 1024
#: Bytes of a fixed-length value of Parquet: UUIDs have 16, decimals up to 32.
LONGEST_FIXED_VALUE = 65_536
