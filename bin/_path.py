# SPDX-License-Identifier: Apache-2.0
"""Puts the app's lib/ first on the module path and bin/ off it; works wherever the app lies (search head or bundle)."""

import os
import sys

_BIN = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != _BIN]
sys.path.insert(0, os.path.join(os.path.dirname(_BIN), "lib"))
