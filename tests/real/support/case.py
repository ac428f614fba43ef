"""What every test here has: a folder of its own, servers that end with it, and their words when it fails."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

from support.candor import Candor
from support.nginx import Nginx
from support.scripted import ScriptedUpstream
from support.servers import EchoServer, file_server, httpbin


class RealCase(unittest.TestCase):
    """A test with the real program and real peers. What it starts is ended, and looked at, afterwards."""

    def run(self, result=None):
        self._result = result
        return super().run(result)

    def setUp(self):
        self._problems_before = self._problems()
        self._servers = []
        self.folder = Path(tempfile.mkdtemp(prefix="candor-real-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(self._end)

    def nginx(self, **options):
        """A started nginx."""
        return self._of_this_test(Nginx(self.folder, **options)).start()

    def candor(self, upstreams, **options):
        """A started Candor."""
        return self._of_this_test(Candor(self.folder, upstreams, **options)).start()

    def upstream(self, script):
        """A started upstream that does what the script says on each connection."""
        return self._of_this_test(ScriptedUpstream(script))

    def echo(self, path=None, context=None):
        """A started echo server."""
        return self._of_this_test(EchoServer(path, context))

    def file_server(self, directory):
        """A started file server that speaks HTTP/1.0."""
        return self._of_this_test(file_server(self.folder, directory))

    def httpbin(self):
        """A started httpbin."""
        return self._of_this_test(httpbin(self.folder))

    def sanitizer_options(self, options):
        """For an address sanitizer in what is started from now on, until the test's end."""
        before = os.environ.get("ASAN_OPTIONS")
        os.environ["ASAN_OPTIONS"] = ":".join(filter(None, (before, options)))
        self.addCleanup(lambda: os.environ.pop("ASAN_OPTIONS") if before is None
                        else os.environ.update(ASAN_OPTIONS=before))

    def _of_this_test(self, server):
        self._servers.append(server)
        return server

    def _problems(self):
        return len(self._result.failures) + len(self._result.errors) if self._result else 0

    def _end(self):
        complaints = []
        for server in reversed(self._servers):
            try:
                server.close()
            except AssertionError as problem:
                complaints.append(str(problem))
            if how := server.died():
                complaints.append(f"{how}:\n{server.report()}")
        if self._problems() > self._problems_before:
            for server in self._servers:
                print(f"--- {type(server).__name__} said:\n{server.report()}", file=sys.stderr)
        if complaints:
            self.fail("\n".join(complaints))


def main():
    """Runs the tests of the calling file: FILE [CANDOR] [unittest's own arguments]."""
    if len(sys.argv) > 1 and os.access(sys.argv[1], os.X_OK):
        os.environ["CANDOR"] = sys.argv.pop(1)
    unittest.main(verbosity=2)
