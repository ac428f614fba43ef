"""What a machine may do without: the tests that need it say so, and are skipped there."""

import importlib.util
import os
import shutil
import unittest

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/go/bin"))


def program(name):
    """Its path; nothing if it isn't there."""
    return shutil.which(name, path=_PATH)


def needs_program(name, package):
    """A decorator for a test or all tests of a class."""
    return unittest.skipUnless(program(name), f"there is no {name} here: Debian's {package} has it")


def needs_module(name, package):
    return unittest.skipUnless(importlib.util.find_spec(name), f"there is no {name} here: Debian's {package} has it")


def needs_httpbin(test):
    """And the server that it runs in."""
    return needs_module("httpbin", "python3-httpbin")(needs_module("gunicorn", "python3-gunicorn")(test))
