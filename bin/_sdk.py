# SPDX-License-Identifier: Apache-2.0
"""The parts of Splunk's SDK that a command needs, without its modules for REST, log files and recordings.

TLS, HTTP, XML and log handlers are half the cost of `import splunklib.searchcommands`, and splunkd starts the command
several times for every search. While the SDK is imported, stand-ins replace the modules in DEFERRED. The SDK only calls
functions of these modules, and a function of a stand-in imports the real module when it is called, so the whole SDK
works as before. After the import the stand-ins are gone, and any other import finds the real modules. Of `inspect`, a
large one, the SDK needs three small functions at once; they are written here. The garbage collector is off during the
import, and never examines the imported objects later: they live until the end.
"""

import gc
import importlib
import os
import signal
import sys
import urllib
from types import FunctionType, ModuleType

# The app's lib/ goes first on the module path, and bin/ off it, wherever the app is (search head or bundle).
_BIN = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != _BIN]
sys.path.insert(0, os.path.join(os.path.dirname(_BIN), "lib"))

DEFERRED = (
    "gzip", "inspect", "logging.config", "shutil", "splunklib.client", "tempfile", "traceback", "urllib.parse",
    "xml.etree.ElementTree",
)  # fmt: skip


class _StandIn(ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def import_and_call(*args, **kwargs):
            return getattr(importlib.import_module(self.__name__), name)(*args, **kwargs)

        return import_and_call


def _get_members(thing, predicate):
    members = ((name, getattr(thing, name, None)) for name in dir(thing))
    return [(name, member) for name, member in members if predicate(member)]


if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end as with SIGTERM, at once and without a traceback

_absent = [name for name in DEFERRED if name not in sys.modules]
sys.modules.update((name, _StandIn(name)) for name in _absent)
if "inspect" in _absent:
    vars(sys.modules["inspect"]).update(
        getmembers=_get_members,
        isclass=lambda thing: isinstance(thing, type),
        isfunction=lambda thing: isinstance(thing, FunctionType),
    )
if "urllib.parse" in _absent:
    urllib.parse = sys.modules["urllib.parse"]  # for `import urllib.parse`; the real module takes this place
gc.disable()
try:
    from splunklib.searchcommands import Configuration, ReportingCommand, StreamingCommand, dispatch
finally:
    gc.freeze()
    gc.enable()
    for _name in _absent:
        del sys.modules[_name]

__all__ = ["Configuration", "ReportingCommand", "StreamingCommand", "dispatch"]
