# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag`: hands over to cli/main.py."""

import sys

from flowlag.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
