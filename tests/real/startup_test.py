"""Starts that cannot succeed, and a start that can, with too little of everything."""

import contextlib
import json
import os
import socket
import subprocess

from support.books import settled_books
from support.candor import binary, command
from support.case import RealCase, main
from support.documents import content
from support.ports import HOST, free_port
from support.waiting import until
from support.wire import Wire


class StartsThatFail(RealCase):
    def _config(self, **sections):
        whole = {"admin": {"listen": f"{HOST}:{free_port()}"},
                 "upstreams": {"web": {"listen": f"{HOST}:{free_port()}", "endpoints": [f"{HOST}:1"]}}, **sections}
        path = self.folder / "wrong.json"
        path.write_text(json.dumps(whole, indent=2))
        return path

    def _fails(self, arguments, *words, lines=1, **options):
        """It ends with status 1, and says why in this number of lines, on stderr."""
        failed = command(arguments, self.folder, **options)
        self.assertEqual(failed.status(), 1, failed.stderr)
        self.assertEqual(failed.stdout, "")
        for word in words:
            self.assertIn(word, failed.stderr)
        if lines:
            self.assertEqual(len(failed.stderr.splitlines()), lines, failed.stderr)
        self.assertEqual(failed.died(), "", failed.stderr)
        return failed

    def _listener(self):
        listener = socket.socket()
        self.addCleanup(listener.close)
        listener.bind((HOST, 0))
        listener.listen()
        return "{}:{}".format(*listener.getsockname())

    def test_a_port_that_another_program_has_is_named(self):
        taken = self._listener()
        config = self._config(upstreams={"web": {"listen": taken, "endpoints": [f"{HOST}:1"]}})
        self._fails(["run", "-c", config], taken, "in use")

    def test_an_admin_port_that_another_program_has_is_named(self):
        taken = self._listener()
        self._fails(["run", "-c", self._config(admin={"listen": taken})], taken, "in use")

    def test_a_shared_port_that_another_program_has_is_named(self):
        taken = self._listener()
        self._fails(["run", "-c", self._config(listeners=[{"listen": taken}])], taken, "in use")

    def test_a_port_that_another_candor_has_is_named_and_stays_with_that(self):
        nginx = self.nginx()
        first = self.candor({"web": {"endpoints": [nginx.address]}})
        taken = f"{HOST}:{first.ports['web']}"
        config = self._config(upstreams={"web": {"listen": taken, "endpoints": [nginx.address]}})
        self._fails(["run", "-c", config], taken, "in use")
        for _ in range(20):
            with Wire(first.ports["web"]) as caller:
                self.assertEqual(caller.get("/files/small-0").answer().body, content("small-0"))
        self.assertEqual(first.ledger("web")["success"], 20)

    def test_an_address_of_another_machine_is_named(self):
        elsewhere = f"192.0.2.1:{free_port()}"
        config = self._config(upstreams={"web": {"listen": elsewhere, "endpoints": [f"{HOST}:1"]}})
        self._fails(["run", "-c", config], elsewhere)

    def test_a_missing_file_is_named(self):
        missing = self.folder / "missing.yaml"
        for verb in ("run", "validate"):
            self._fails([verb, "-c", missing], str(missing), "No such file")

    def test_a_directory_is_no_file(self):
        for verb in ("run", "validate"):
            self._fails([verb, "-c", self.folder], str(self.folder), "directory")

    def test_a_wrong_file_is_refused_with_all_its_problems_and_their_places(self):
        wrong = self.folder / "wrong.yaml"
        wrong.write_text("upstreams:\n"
                         "  web:\n"
                         "    listen: 127.0.0.1:99999\n"
                         "    endpoints: []\n"
                         "    retry: {atempts: 3}\n"
                         "    timeouts: {connect: 5}\n"
                         "drain: 1s\n")
        for verb in ("run", "validate"):
            places = [f"wrong.yaml:{line}:" for line in (3, 4, 5, 6, 7)]
            self._fails([verb, "-c", wrong], 'did you mean "attempts"?', *places, lines=None)

    def test_a_file_that_is_no_yaml_is_refused_with_the_place(self):
        wrong = self.folder / "wrong.yaml"
        wrong.write_text("upstreams: {web: [\n")
        self._fails(["run", "-c", wrong], "wrong.yaml:", lines=None)

    def test_an_access_log_that_cannot_be_written_is_named(self):
        (self.folder / "file").write_text("no folder")
        nowhere = str(self.folder / "file" / "access.log")
        self._fails(["run", "-c", self._config(access_log={"mode": "all", "path": nowhere})], nowhere)

    def test_the_directory_of_an_access_log_is_not_made(self):
        nowhere = self.folder / "missing"
        config = self._config(access_log={"mode": "all", "path": str(nowhere / "access.log")})
        self._fails(["run", "-c", config], f"there is no directory {nowhere}")
        self.assertFalse(nowhere.exists())

    def test_too_few_descriptors_to_start_are_told(self):
        for descriptors in (6, 8, 10):
            self._fails(["run", "-c", self._config()], "Too many open files", descriptors=descriptors)

    def test_a_command_that_is_none_is_told(self):
        failed = command(["rum"], self.folder)
        self.assertNotEqual(failed.status(), 0)
        self.assertIn("rum", failed.stdout + failed.stderr)

    def test_a_good_file_is_found_good(self):
        good = command(["validate", "-c", self._config()], self.folder)
        self.assertEqual((good.status(), good.stderr), (0, ""))

    def test_the_version_is_told(self):
        told = command(["version"], self.folder)
        self.assertEqual(told.status(), 0)
        self.assertRegex(told.stdout, r"\d+\.\d+\.\d+")


class OddSurroundings(RealCase):
    def test_a_full_disk_costs_log_lines_that_are_counted_and_nothing_else(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}},
                             access_log={"mode": "all", "path": "/dev/full"})
        with Wire(candor.ports["web"]) as caller:
            for _ in range(20):
                self.assertEqual(caller.get("/files/small-0").answer().body, content("small-0"))
        until(lambda: candor.metrics().value("candor_access_log_dropped_total") == 20, "each line was counted")
        self.assertNotIn("full", candor.process.stderr)

    def test_closed_standard_streams_are_nobody_elses(self):
        nginx = self.nginx()
        admin, web = (free_port() for _ in range(2))
        config = self.folder / "closed.json"
        config.write_text(json.dumps({
            "admin": {"listen": f"{HOST}:{admin}"}, "log": {"level": "debug"},
            "access_log": {"mode": "all", "path": "stdout"},
            "upstreams": {"web": {"listen": f"{HOST}:{web}", "endpoints": [nginx.address]}}}))
        closed = subprocess.Popen(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", binary(), "run", "-c", config])
        self.addCleanup(closed.wait)
        self.addCleanup(closed.kill)
        until(lambda: _is_open(web), "it listens")
        with Wire(web) as caller:
            for _ in range(20):
                self.assertEqual(caller.get("/files/small-0").answer().body, content("small-0"))
            for stream in range(3):
                self.assertEqual(os.readlink(f"/proc/{closed.pid}/fd/{stream}"), "/dev/null")
        closed.terminate()
        self.assertEqual(closed.wait(60), 0)


def _is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


class FewDescriptors(RealCase):
    def test_with_no_descriptor_left_those_inside_are_served_and_the_others_wait(self):
        nginx = self.nginx()
        candor = self.candor({"web": {"endpoints": [nginx.address]}}, descriptors=64, workers=1)
        port = candor.ports["web"]
        self._everything_once(candor)
        inside = Wire(port)
        self.assertEqual(inside.get("/files/small-0").answer().body, content("small-0"))

        crowd = [Wire(port) for _ in range(100)]
        until(lambda: self._told(candor), "it said that it has no descriptor left")
        for _ in range(50):
            self.assertEqual(inside.get("/files/small-0").answer().body, content("small-0"))
        self.assertEqual(len(self._told(candor)), 1, candor.process.stderr)
        waiting = crowd[-1].get("/files/small-1")
        for caller in crowd[:-1]:
            caller.close()
        self.assertEqual(waiting.answer().body, content("small-1"), "who waited is served in the end")
        self.assertEqual(inside.get("/files/small-2").answer().body, content("small-2"))
        with Wire(port) as newcomer:
            self.assertEqual(newcomer.get("/files/small-3").answer().body, content("small-3"))
        until(candor.is_ready, "the admin port answered again")
        self.assertEqual(candor.ledger("web")["failure"], 0)
        inside.close()
        waiting.close()
        self._until_all_came_and_went(candor)

    def _one_answer_a_connection(self, conversation):
        if " /hang " in (conversation.request() or ""):
            conversation.wait_for_end()
        else:
            conversation.answer("one answer a connection", "Connection: close\r\n")

    def test_callers_who_ask_nothing_leave_descriptors_for_upstreams(self):
        upstream = self.upstream(self._one_answer_a_connection)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, descriptors=64, workers=1)
        port = candor.ports["web"]
        self._everything_once(candor)
        with contextlib.ExitStack() as stack:
            inside = stack.enter_context(Wire(port))
            self.assertEqual(inside.get("/").answer().status, 200)
            for _ in range(100):
                stack.enter_context(Wire(port))
            until(lambda: self._told(candor), "it said that callers wait")
            for _ in range(50):
                self.assertEqual(inside.get("/").answer().status, 200)
            self.assertTrue(candor.is_ready(), "the admin port answers, too")
        self._until_all_came_and_went(candor)

    def test_who_waits_is_said_when_somebody_does_and_served_by_a_drain(self):
        upstream = self.upstream(self._one_answer_a_connection)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, descriptors=64, workers=1)
        port = candor.ports["web"]
        self._everything_once(candor)
        until(lambda: candor.metrics().value("candor_caller_connections") == 0, "nobody was there")
        with contextlib.ExitStack() as stack:
            for _ in range(32):
                stack.enter_context(Wire(port))
            until(lambda: candor.metrics().value("candor_caller_connections") == 32, "half of them are taken")
            self.assertEqual(self._told(candor), [])
            waiting = [stack.enter_context(Wire(port)).get("/") for _ in range(4)]
            until(lambda: self._told(candor), "it said that callers wait")
            candor.terminate()
            for caller in waiting:
                self.assertEqual(caller.answer().status, 200)

    def test_with_no_descriptor_left_for_an_upstream_candor_blames_itself(self):
        upstream = self.upstream(self._one_answer_a_connection)
        candor = self.candor({"web": {"endpoints": [upstream.address]}}, descriptors=64, workers=1)
        port = candor.ports["web"]
        self._everything_once(candor)
        before = candor.ledger("web")
        inside = Wire(port)
        self.assertEqual(inside.get("/").answer().status, 200)
        crowd = [Wire(port) for _ in range(100)]
        for caller in crowd:
            caller.get("/hang")
        until(lambda: self._told(candor), "it said that it has no descriptor left")
        until(lambda: inside.get("/").answer().status != 200, "there was none left for another upstream connection")
        answer = inside.get("/").answer()
        self.assertIn(answer.status, (500, 502, 503))
        self.assertTrue(answer.get("Proxy-Status").startswith("candor; error="), answer)
        for caller in crowd:
            caller.close()
        until(lambda: inside.get("/").answer().status == 200, "there was a descriptor for the upstream again")
        inside.close()
        self._until_all_came_and_went(candor)
        after = settled_books(self, candor, "web").ledger
        self.assertEqual(after["failure"], before["failure"], "the upstream is not to blame")
        self.assertEqual(candor.state("web"), "closed")

    def _until_all_came_and_went(self, candor):
        def gone():
            metrics = candor.metrics()
            return (metrics.value("candor_caller_connections") == 0
                    and metrics.value("candor_caller_connections_accepted_total") >= 110)

        until(gone, "all callers had been accepted, and were gone")

    def _told(self, candor):
        return [line for line in candor.process.stderr.splitlines() if "no file descriptors left" in line]

    def _everything_once(self, candor):
        """Whatever happens later with no descriptor left has happened before: the undefined-behaviour sanitizer
        takes a descriptor to look at an object of a type that it meets for the first time."""
        for _ in range(3):
            with Wire(candor.ports["web"]) as caller:
                caller.get("/files/small-0").answer()
            Wire(candor.ports["web"]).close()
            Wire(candor.ports["web"]).get("/slow/large-0?rate=100k").reset()
            self.assertTrue(candor.is_ready())
        until(lambda: candor.ledger("web")["in_flight"] == 0, "nothing was in flight")


if __name__ == "__main__":
    main()
