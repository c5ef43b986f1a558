# SPDX-License-Identifier: Apache-2.0
"""Imports the parts of Splunk's SDK that a command needs, without its modules for REST calls, log files and recordings.

TLS, HTTP, XML and log handlers are half the cost of `import splunklib.searchcommands`, and splunkd starts the command
several times for every search. While the SDK is imported, stand-ins replace the modules in DEFERRED. The SDK only calls
functions of these modules; a stand-in's function imports the real module when it is called, so the whole SDK works as
ever. After the import the stand-ins are gone, and any other import finds the real modules. The garbage collector is off
during the import, and never examines the imported objects afterwards: they live until the end.
"""

import gc
import importlib
import os
import signal
import sys
from types import ModuleType

# The app's lib/ comes first on the module path and bin/ leaves it, wherever the app lies (search head or bundle).
_BIN = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != _BIN]
sys.path.insert(0, os.path.join(os.path.dirname(_BIN), "lib"))

DEFERRED = (
    "gzip", "logging.config", "shutil", "splunklib.client", "tempfile", "traceback", "xml.etree.ElementTree",
)  # fmt: skip


class _StandIn(ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def import_and_call(*args, **kwargs):
            return getattr(importlib.import_module(self.__name__), name)(*args, **kwargs)

        return import_and_call


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end as SIGTERM does, at once and without a traceback

_absent = [name for name in DEFERRED if name not in sys.modules]
sys.modules.update((name, _StandIn(name)) for name in _absent)
gc.disable()
try:
    from splunklib.searchcommands import Configuration, ReportingCommand, StreamingCommand, dispatch
finally:
    gc.freeze()
    gc.enable()
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["Configuration", "ReportingCommand", "StreamingCommand", "dispatch"]
