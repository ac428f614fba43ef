#!/usr/bin/env python3
"""Proves on small made-up trees that every check can fail, and that it stays quiet where it should."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import docs
import layers
import tree
import words


class TreeTest(unittest.TestCase):
    check = None

    def problems(self, files):
        """The problems that the check sees in a tree of these files, {path: text}, as "path:line: message"."""
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder).resolve()
            for path, text in files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            found, _ = type(self).check(root)
            return [str(problem) for problem in sorted(set(found))]

    def assert_finds(self, files, *expected):
        """Exactly as many problems as expected, each with its expected text in it."""
        found = self.problems(files)
        self.assertEqual(len(found), len(expected), found)
        for problem, text in zip(found, expected):
            self.assertIn(text, problem)

    def assert_quiet(self, files):
        self.assertEqual(self.problems(files), [])


class Layers(TreeTest):
    check = staticmethod(layers.check)

    def test_names_file_line_and_arrow(self):
        self.assert_finds(
            {"src/resilience/health.cpp": '#include <mutex>\n\n#include "candor/net/pool.hpp"\n'},
            "src/resilience/health.cpp:3: resilience -> net: no such arrow; resilience may include core",
        )

    def test_every_missing_arrow_fails_and_every_arrow_passes(self):
        for module, arrows in layers.ARROWS.items():
            for other in layers.ARROWS:
                files = {f"src/{module}/a.cpp": f'#include "candor/{other}/thing.hpp"\n'}
                if other == module or other in arrows:
                    self.assert_quiet(files)
                else:
                    self.assert_finds(files, f"src/{module}/a.cpp:1: {module} -> {other}: no such arrow")

    def test_config_sees_settings_only(self):
        self.assert_quiet({"src/config/a.cpp": '#include "candor/net/settings.hpp"\n#include "candor/core/time.hpp"\n'})
        self.assert_finds({"src/config/a.cpp": '#include "candor/net/pool.hpp"\n'}, "config -> net")

    def test_settings_are_for_config_alone(self):
        self.assert_finds({"src/http/a.cpp": '#include "candor/net/settings.hpp"\n'}, "http -> net")

    def test_settings_include_settings_and_core(self):
        path = "include/candor/proxy/settings.hpp"
        self.assert_quiet({path: '#include "candor/resilience/settings.hpp"\n#include "candor/core/time.hpp"\n'})
        self.assert_finds({path: '#include "candor/resilience/health.hpp"\n'}, "holds plain structs")
        self.assert_finds({path: '#include "candor/proxy/router.hpp"\n'}, "holds plain structs")

    def test_main_is_app_and_holds_one_file(self):
        self.assert_quiet({"src/main/main.cpp": '#include "candor/net/pool.hpp"\n#include <CLI/CLI.hpp>\n'})
        self.assert_finds({"src/main/more.cpp": "\n"}, "src/main holds main.cpp and nothing else")

    def test_private_headers_stay_private(self):
        self.assert_quiet({"src/net/a.cpp": '#include "b.hpp"\n#include "tls/c.hpp"\n'})
        self.assert_finds({"src/net/a.cpp": '#include "../http/scan.hpp"\n'}, "src/http/scan.hpp is private to http")
        self.assert_finds({"include/candor/net/a.hpp": '#include "../../../src/net/b.hpp"\n'}, "which is private")

    def test_relative_paths_do_not_hide_an_arrow(self):
        self.assert_finds({"include/candor/http/a.hpp": '#include "../net/pool.hpp"\n'}, "http -> net")
        self.assert_finds({"src/http/a.cpp": "#include <candor/net/pool.hpp>\n"}, "http -> net")

    def test_unknown_modules(self):
        self.assert_finds({"src/utils/a.cpp": "\n"}, "belongs to no module")
        self.assert_finds({"include/candor/all.hpp": "\n"}, "belongs to no module")
        self.assert_finds({"src/net/a.cpp": '#include "candor/utils/a.hpp"\n'}, "belongs to no module")

    def test_pure_modules_stand_on_the_standard_library(self):
        for module in ("core", "resilience", "http", "proxy"):
            path = f"src/{module}/a.cpp"
            self.assert_quiet({path: "#include <vector>\n#include <boost/system/result.hpp>\n"})
            for header in ("boost/optional.hpp", "sys/socket.h", "spdlog/spdlog.h", "nlohmann/json.hpp"):
                self.assert_finds({path: f"#include <{header}>\n"}, f"{module} -> <{header}>")

    def test_the_parser_is_inside_http_only(self):
        beast = "#include <boost/beast/http/basic_parser.hpp>\n"
        self.assert_quiet({"src/http/parser.cpp": beast, "src/net/a.cpp": beast, "src/admin/a.cpp": beast})
        self.assert_finds({"include/candor/http/parser.hpp": beast}, "http -> <boost/beast")
        self.assert_finds({"src/http/parser.hpp": beast}, "http -> <boost/beast")
        for module in ("core", "resilience", "proxy", "observe", "config", "sim"):
            self.assert_finds({f"src/{module}/a.cpp": "#include <boost/asio.hpp>\n"}, f"{module} -> <boost/asio.hpp>")

    def test_a_header_without_a_home(self):
        self.assert_finds({"src/net/a.cpp": "#include <folly/Try>\n"}, "has no home yet")

    def test_an_include_that_names_no_file(self):
        self.assert_finds({"src/net/a.cpp": "#include POOL_HEADER\n"}, "names no file")

    def test_comments_include_nothing(self):
        self.assert_quiet({"src/core/a.cpp": '// #include "candor/net/a.hpp"\n/*\n#include "candor/net/a.hpp"\n*/\n'})

    def test_a_string_is_no_comment(self):
        source = 'auto a = "/*";\n#include <sys/socket.h>\nauto b = "*/";\n'
        self.assert_finds({"src/core/a.cpp": source}, ":2: core ->")

    def test_other_suffixes_escape_nothing(self):
        self.assert_finds({"src/net/a.cc": "\n", "src/net/b.cpp": "\n"}, "C++ lives in .hpp and .cpp")

    def test_tests_include_what_they_like(self):
        self.assert_quiet({"tests/core/a.cpp": '#include "candor/net/a.hpp"\n', "src/core/a.cpp": "\n"})

    def test_links_follow_the_arrows(self):
        source = "src/core/a.cpp"
        good = "candor_module(net DEPENDS proxy http core)\ncandor_module(config DEPENDS net core LIBRARIES yaml-cpp)\n"
        self.assert_quiet({source: "\n", "CMakeLists.txt": good})
        bad = "project(x)\n# candor_module(core DEPENDS app)\ncandor_module(http\n  DEPENDS core net LIBRARIES zlib)\n"
        self.assert_finds({source: "\n", "CMakeLists.txt": bad}, "CMakeLists.txt:3: http -> net")
        self.assert_finds({source: "\n", "CMakeLists.txt": "candor_module(utils)\n"}, "no such module")


class Words(TreeTest):
    check = staticmethod(words.check)

    def test_finds_a_condition_that_awaits(self):
        self.assert_finds(
            {"src/net/a.cpp": "while (co_await head() == Head::whole) {\n}\nif (a(b) && !co_await c(d)) return;\n"},
            "src/net/a.cpp:1: co_await in a condition",
            "src/net/a.cpp:3: co_await in a condition",
        )
        self.assert_quiet({"src/net/a.cpp": "if (!a(b(c))) co_await d();\nauto const e = co_await f(g);\nif (e) return;\n"})

    def test_every_word_is_found_in_code(self):
        for word in words.WORDS:
            found = self.problems({"include/candor/net/a.hpp": f"\n// {word.example}\n"})
            self.assertTrue(any(":2:" in text and word.use in text for text in found), (word, found))

    def test_words_are_found_in_prose_unless_it_may_need_them(self):
        for word in words.WORDS:
            found = self.problems({"docs/a.md": f"The {word.example} here.\n"})
            self.assertEqual(any(word.use in text for text in found), not word.code_only, word)

    def test_names_are_taken_apart(self):
        for spelled in ("downstreamErrors", "Downstream", "DOWNSTREAM_MAX", "on_downstream", "down the downstream."):
            self.assert_finds({"src/net/a.cpp": f"int x;  // {spelled}\n"}, '"downstream": say caller or upstream')

    def test_good_words_are_left_alone(self):
        self.assert_quiet({
            "docs/a.md": "A request failed; one attempt of it was slow. The circuit breaker stands below retry; the\n"
                         "circuit is half-open. curl is a client, the pod runs in a cluster. Retry: attempts 3.\n",
            "config/a.yaml": "breaker: {open: {first: 100ms}}\nretry: {attempts: 3, on: [connect, reset, timeout]}\n",
            "src/net/a.cpp": "auto s = settings.breaker.open; enum class CircuitState { closed, open, half_open };\n",
        })

    def test_the_bans_may_be_spelt_out_where_they_live(self):
        self.assert_quiet({"tests/tidy/a.py": "# downstream\n", "tests/bench/peers/a.py": "# backend\n",
                           "src/core/a.cpp": "\n"})
        self.assert_finds({"tests/bench/a.cpp": "int backend;\n"}, "backend")

    def test_every_call_is_found_in_each_of_its_modules(self):
        for call in words.CALLS:
            for module in call.modules:
                for path in (f"src/{module}/a.cpp", f"include/candor/{module}/deep/a.hpp"):
                    self.assert_finds({path: f"\n{call.example}\n"}, f"{path}:2: ")

    def test_calls_are_fine_elsewhere_and_in_comments(self):
        for call in words.CALLS:
            self.assert_quiet({"src/app/a.cpp": call.example, "src/main/main.cpp": call.example})
            self.assert_quiet({"src/core/a.cpp": f'// {call.example}\nauto s = R"({call.example})";\n'})

    def test_our_own_sleep_is_no_sleep(self):
        self.assert_quiet({
            "include/candor/core/a.hpp": "[[nodiscard]] auto sleep(Duration delay, CancelScope& scope);\n",
            "tests/core/a.cpp": "co_await scheduler.sleep(1s, scope); auto s = timers->sleep(1ms);\n",
        })
        self.assert_finds({"src/net/a.cpp": "  sleep(1);\n"}, "sleep(")
        self.assert_finds({"src/net/a.cpp": "if (x) { ::sleep(1); }\n"}, "sleep(")

    def test_tests_do_not_sleep(self):
        for example in ("std::this_thread::sleep_for(1ms);", "this_thread::sleep_until(t);", "usleep(10);", "::sleep(1);"):
            self.assert_finds({"tests/net/a_test.cpp": f"// why\n{example}\n"}, "tests/net/a_test.cpp:2: ")

    def test_the_allowance_holds_for_its_file_and_kind_only(self):
        for (path, kind), _ in words.ALLOWED.items():
            example = next(call.example for call in words.CALLS if call.kind == kind)
            self.assert_quiet({path: example + "\n"})
            self.assert_finds({str(Path(path).with_name("other.cpp")): example + "\n"}, kind)
            self.assert_finds({path: f"{example}\nstd::random_device chance;\n"}, "chance")

    def test_an_allowance_that_nothing_needs(self):
        for path, kind in words.ALLOWED:
            self.assert_finds({path: "int x;\n"}, f"needs no leave for {kind}")

    def test_notes_without_owner(self):
        for note in ("TODO", "FIXME", "XXX", "HACK"):
            self.assert_finds({"src/net/a.cpp": f"// {note}: later\n"}, note)
            self.assert_finds({"README.md": f"{note} later\n"}, note)

    def test_long_files(self):
        self.assert_quiet({"src/net/a.cpp": "\n" * words.LONGEST})
        self.assert_finds({"src/net/a.cpp": "\n" * (words.LONGEST + 1)}, f"{words.LONGEST + 1} lines")
        self.assert_finds({"tests/net/a_test.cpp": "\n" * (words.LONGEST + 1)}, f"{words.LONGEST + 1} lines")


class Docs(TreeTest):
    check = staticmethod(docs.check)

    def test_links_that_lead_somewhere(self):
        self.assert_quiet({
            "README.md": "[a](docs/a.md) [b](docs/a.md#the-idea-in-short) [c](#top) ![p](docs/p.svg) [d](docs/)\n"
                         "[web](https://example.org/x) [mail](mailto:a@example.org)\n# Top\n[r]: docs/a.md\n"
                         "`[not](a-link.md)`\n```\n[nor](this.md)\n```\n",
            "docs/a.md": "## The *idea*, in `short`\n[up](../README.md#top)\n",
            "docs/p.svg": "<svg/>",
        })

    def test_links_that_lead_nowhere(self):
        for text, why in {
            "[a](docs/b.md)": "no such file",
            "![p](p.png)": "no such file",
            "[`code`](src/x.cpp)": "no such file",
            "[r]: gone.md": "no such file",
            '<img src="gone.svg">': "no such file",
            "[a](#nowhere)": "no such heading",
            "[a](../elsewhere.md)": "leads out of the repository",
            "[a](/docs/a.md)": "make it relative",
        }.items():
            self.assert_finds({"README.md": f"# Top\n\n{text}\n"}, why)
            self.assertIn("README.md:3: ", self.problems({"README.md": f"# Top\n\n{text}\n"})[0])

    def test_repeated_headings_are_numbered(self):
        page = "# Why\n# Why\n[second](#why-1)\n"
        self.assert_quiet({"a.md": page})
        self.assert_finds({"a.md": page + "[third](#why-2)\n"}, "no such heading")

    def test_paths_of_one_machine(self):
        for place in ("/wo" + "rk/main", "/ro" + "ot/.ssh/", "/ho" + "me/ada/src", "/Us" + "ers/ada/src"):
            self.assert_finds({"README.md": f"See {place}/x\n"}, "a path of one machine only")
            self.assert_finds({"src/core/a.cpp": f'auto p = "{place}/x";\n'}, "a path of one machine only")
        self.assert_quiet({"README.md": "GET /network/work, include/ro" + "ot/x, /etc/candor/\n"})


class EveryCheck(unittest.TestCase):
    """As ctest sees them: by their exit status."""

    def status(self, script, files):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / path).write_text(text, encoding="utf-8")
            command = [sys.executable, str(Path(__file__).with_name(script)), folder]
            return subprocess.run(command, capture_output=True, text=True, check=False).returncode

    def test_exit_status(self):
        for script, bad in {
            "layers.py": {"src/core/a.cpp": "#include <sys/socket.h>\n"},
            "words.py": {"src/core/a.cpp": "int downstream;\n"},
            "docs.py": {"README.md": "[a](gone.md)\n"},
        }.items():
            self.assertEqual(self.status(script, bad), 1, script)
            self.assertEqual(self.status(script, {path: "\n" for path in bad}), 0, script)

    def test_an_empty_tree_is_no_success(self):
        for script in ("layers.py", "words.py", "docs.py"):
            self.assertEqual(self.status(script, {}), 1, script)


class Blanking(unittest.TestCase):
    def test_lines_keep_their_numbers(self):
        source = 'a /* b\nc */ d // e\n"f // g" R"x(h\n"i")x" \'"\' 1\'000 // j\n'
        blanked = tree.without(source, "comment", "text")
        self.assertEqual(blanked.count("\n"), source.count("\n"))
        self.assertEqual(blanked.split(), ["a", "d", "1'000"])


if __name__ == "__main__":
    unittest.main()
