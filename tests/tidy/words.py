#!/usr/bin/env python3
"""Bans what docs/architecture.md decided against, each with its replacement.

    tests/tidy/words.py [ROOT]

Words: synonyms of the glossary, in names, comments, configuration and prose alike; `CamelCase`, `snake_case`
and plain words are one. Calls: clocks, chance, threads and the environment where they must be arguments, and
sleeps in tests. Besides: unowned notes, and files that have outgrown a reader.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import PurePosixPath

import tree

LONGEST = 500  # lines

PURE = ("core", "resilience", "http", "proxy")
TIMELESS = (*PURE, "sim", "net", "observe", "config", "admin")  # all but app, which starts the others

# The files that may do what their module may not, and why. Keep it nearly empty; an entry whose file no longer
# needs it is a problem too.
ALLOWED = {
    ("src/net/reactor.cpp", "clock"): "reads the clock, once a turn, and hands the reading down",
}


@dataclass(frozen=True)
class Word:
    """A banned word. In the pattern `_` stands for a space, a hyphen or an underscore; case is ignored."""

    pattern: str
    use: str
    example: str  # something that it must find: the self-test holds it to that
    code_only: bool = False  # prose may need the word for something else

    def compiled(self):
        return re.compile(rf"(?<![a-z])(?:{self.pattern.replace('_', '[ _-]')})(?![a-z])")


WORDS = [
    Word("downstreams?", "caller or upstream, whichever side is meant", "downstream_errors"),
    Word("backends?|back[-]ends?", "upstream for the service, endpoint for one of its addresses", "BackendPool"),
    Word("(?:remote|target)_(?:service|server|host)s?", "upstream or endpoint", "target_host"),
    Word("clusters?", "upstream", "ClusterSettings", code_only=True),
    Word("client_(?:connection|request|body|address|timeout|deadline)s?", "caller", "client_request", code_only=True),
    Word("failed_calls?|calls?_failed|call_failures?", "failed request or failed attempt: say which", "failed calls"),
    Word("slow_calls?", "slow attempt, slow mark", "slow_call_rate"),
    Word("(?:max|num|number_of)_(?:retries|tries)|(?:retry|try)_count|(?:retries|tries)_left",
         "attempts: all tries of a request, the first one included", "max_retries"),
    Word("retry_attempts?", "retry, or attempt when the first one is meant too", "RetryAttempt"),
    Word("error_(?:rate|ratio|percentage|threshold)s?", "failure ratio (failure_rate in the configuration)",
         "errorRate"),
    Word("failure_(?:types?|categor(?:y|ies))", "failure kind", "FailureType"),
    Word("half_?opened|halfopen|semi_open", "half-open (half_open in code)", "half_opened"),
    Word("tripped", "open: a rule trips, a circuit opens", "is_tripped"),
    Word("breaker_states?|breaker_(?:is_|was_)?(?:open|opens|opened|closed|closes|half_open)"
         "|(?:open|opened|closed|half_open)_breakers?",
         "circuit: the breaker decides, the circuit is open or closed", "BreakerState"),
    Word("circuit_(?:version|epoch|era)s?", "generation", "circuit_epoch"),
    Word("cool_?downs?|sleep_windows?|recovery_timeouts?", "the window of an open circuit (open.first, open.cap)",
         "cooldown"),
    Word("trial_(?:request|call|attempt)s?", "probe", "trial request"),
    Word("slow_?starts?", "ramp", "slow_start", code_only=True),
    Word("outliers?", "ejected endpoint", "OutlierDetection", code_only=True),
    Word("quarantine[ds]?(?!_size_mb)", "ejected, eject", "quarantined"),
    Word("(?:retry|hedge)_(?:quota|allowance)s?", "budget", "retry_quota"),
    Word("bulkheads?", "limit", "Bulkhead", code_only=True),
]


@dataclass(frozen=True)
class Call:
    """A banned call in the C++ of these modules; matched with comments and strings blanked out."""

    kind: str
    pattern: str
    modules: tuple
    use: str
    example: str


SLEEP = r"\bsleep_(?:for|until)\b|\b(?:usleep|nanosleep)\b|(?:^|(?<=[;{}(=,!]))[ \t]*(?:::)?sleep\s*\("

CALLS = [
    Call("clock", r"[Cc]lock\s*::\s*now\b", TIMELESS, "take an Instant as an argument, or ask the Scheduler",
         "auto t = std::chrono::steady_clock::now();"),
    Call("clock", r"\b(?:gettimeofday|clock_gettime|timespec_get|std\s*::\s*time\s*\()", TIMELESS,
         "take an Instant or a WallTime as an argument", "clock_gettime(CLOCK_MONOTONIC, &now);"),
    Call("chance", r"\b(?:random_device|mt19937(?:_64)?|minstd_rand0?|default_random_engine|drand48|getrandom)\b",
         TIMELESS, "take an Rng& as an argument", "std::mt19937 twister{7};"),
    Call("chance", r"(?<![\w.>])s?rand\s*\(|\brand_r\b", TIMELESS, "take an Rng& as an argument",
         "int r = std::rand();"),
    Call("chance", r"\b(?:uniform_int|uniform_real|normal|exponential|bernoulli|discrete|poisson)_distribution\b",
         TIMELESS, "Rng, whose numbers are the same on every machine", "std::normal_distribution<double> noise;"),
    Call("sleep", SLEEP, TIMELESS, "co_await scheduler.sleep(delay, scope)", "std::this_thread::sleep_for(1ms);"),
    Call("thread", r"\bstd\s*::\s*(?:jthread|thread|async)\b", PURE, "one worker's code; threads are for net and app",
         "std::jthread helper;"),
    Call("environment", r"\b(?:secure_)?getenv\b|\benviron\b", tuple(m for m in TIMELESS if m != "config"),
         "a setting; only config and app read the environment", 'std::getenv("HOME");'),
]
# The condition of an if, while or switch, as far as a co_await in it. docs/adr has the reason.
AWAITING_CONDITION = re.compile(
    r"\b(?:if|while|switch)\s*\((?:[^()]|\((?:[^()]|\([^()]*\))*\)|\()*\bco_await\b")
NOTE = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")

# tests/tidy spells the bans out. The peers of the benchmarks are configured in their own words.
PROSE = {".md", ".yaml", ".yml", ".json", ".html", ".js", ".css", ".txt", ".py", ".sh", "Makefile", "Dockerfile"}
OWN_WORDS = ("tests/tidy/", "tests/bench/")


def plain(line):
    """`CamelCase` taken apart and lowered, so that a name reads like words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", line).lower()


def module_of(path):
    parts = PurePosixPath(path).parts
    folder = {"include": 2, "src": 1}.get(parts[0])
    return parts[folder] if folder and len(parts) > folder + 1 else None


def check_words(path, source):
    is_cpp = PurePosixPath(path).suffix in tree.CPP
    if path.startswith("tests/tidy/") or (path.startswith(OWN_WORDS) and not is_cpp):
        return
    is_code = path.startswith(("include/", "src/"))
    for number, line in enumerate(source.splitlines(), 1):
        lowered = plain(line)
        for word, pattern in _COMPILED_WORDS:
            if word.code_only and not is_code:
                continue
            found = pattern.search(lowered)
            if found:
                yield tree.Problem(path, number, f'"{found.group(0)}": say {word.use}')
        note = NOTE.search(line)
        if note:
            yield tree.Problem(path, number, f"{note.group(0)}: a note without an owner; make it an issue, or do it")


_COMPILED_WORDS = [(word, word.compiled()) for word in WORDS]


def check_calls(path, source, used):
    module = module_of(path)
    code = tree.without(source, "comment", "text")
    for call in CALLS:
        if module not in call.modules:
            continue
        for found in re.finditer(call.pattern, code, re.MULTILINE):
            if (path, call.kind) in ALLOWED:
                used.add((path, call.kind))
                continue
            yield tree.Problem(path, code.count("\n", 0, found.start()) + 1,
                               f"{found.group(0).strip()}: {call.kind} is no affair of {module}; {call.use}")


def check_conditions(path, source):
    code = tree.without(source, "comment", "text")
    for found in AWAITING_CONDITION.finditer(code):
        yield tree.Problem(path, code.count("\n", 0, found.start()) + 1,
                           "co_await in a condition, which gcc 12 may miscompile; name its result, test that")


def check_test(path, source):
    code = tree.without(source, "comment", "text")
    for found in re.finditer(SLEEP, code, re.MULTILINE):
        yield tree.Problem(path, code.count("\n", 0, found.start()) + 1,
                           f"{found.group(0).strip()}: tests don't sleep; use virtual time, or wait for the event")


def check_length(path, source):
    lines = source.count("\n")
    if lines > LONGEST:
        yield tree.Problem(path, LONGEST + 1, f"{lines} lines, more than {LONGEST}: find the second idea, move it out")


def check(root):
    problems, used = [], set()
    cpp = tree.files(root, tree.CPP, "include", "src", "tests")
    prose = tree.files(root, PROSE)
    for path in sorted({*cpp, *prose}):
        source = tree.read(root, path)
        problems += check_words(path, source)
        if path in cpp:
            problems += check_calls(path, source, used)
            problems += check_conditions(path, source)
            problems += check_length(path, source)
            if path.startswith("tests/"):
                problems += check_test(path, source)
    for path, kind in ALLOWED:
        if (path, kind) not in used and (root / path).exists():
            problems.append(tree.Problem(path, 1, f"needs no leave for {kind} any more: strike it from ALLOWED"))
    return problems, len({*cpp, *prose})


if __name__ == "__main__":
    sys.exit(tree.run("words", check))
