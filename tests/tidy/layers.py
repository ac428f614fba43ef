#!/usr/bin/env python3
"""Walks every include of include/candor and src and holds it against the arrows of docs/architecture.md.

    tests/tidy/layers.py [ROOT]

A module may include itself and the modules behind its arrow; of third-party libraries only those that have a
home there. Tests may include what they like. The links between the libraries, in CMakeLists.txt, are held
against the same arrows.
"""

import re
import sys
from fnmatch import fnmatch
from pathlib import PurePosixPath

import tree

EVERY = ["core", "resilience", "http", "proxy", "net", "observe", "config", "admin", "sim", "app"]

# Module: the modules it may include. The order is the one of the house, from the ground up.
ARROWS = {
    "core": [],
    "resilience": ["core"],
    "http": ["core"],
    "proxy": ["http", "resilience", "core"],
    "net": ["proxy", "http", "core"],
    "observe": ["proxy", "resilience", "core"],
    "config": ["core"],  # and of every other module its settings.hpp
    "admin": ["observe", "config", "proxy", "resilience", "http", "core"],
    "sim": ["proxy", "http", "resilience", "observe", "config", "core"],
    "app": [module for module in EVERY if module != "app"],
}
SETTINGS = "settings.hpp"
MAIN = "src/main/main.cpp"  # the folder src/main is the program itself; it counts as app

# Third-party headers: a prefix, and where it is at home, a module or files.
# The four modules at the bottom stand on the standard library; a Result is Boost's.
HOMES = [
    ("boost/system/result.hpp", EVERY),
    ("boost/asio", ["net", "admin", "app", "src/http/*.cpp"]),
    ("boost/beast", ["net", "admin", "app", "src/http/*.cpp"]),  # the parser, never in a header of http
    ("boost/", ["net", "admin", "app"]),
    ("re2/", ["src/core/pattern.cpp"]),
    ("openssl/", ["net", "app"]),
    ("nghttp2/", ["net"]),
    ("ares.h", ["src/net/dns_client.cpp"]),
    ("prometheus/", ["observe", "admin"]),
    ("spdlog/", ["observe", "app"]),
    ("yaml-cpp/", ["config"]),
    ("nlohmann/", ["config", "admin", "observe", "sim", "app"]),
    ("zlib.h", ["observe", "admin"]),
    ("CLI/", ["app"]),
]
SYSTEM_HOMES = ["net", "observe", "config", "admin", "app"]  # the kernel's and the C library's own headers

STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
    climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg
    cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format
    forward_list fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator latch
    limits list locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
    ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept stop_token
    streambuf string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo
    unordered_map unordered_set utility valarray variant vector version""".split()
)

OTHER_SUFFIXES = {".h", ".hh", ".hxx", ".c", ".cc", ".cxx", ".c++", ".ipp", ".inl", ".tpp", ".inc", ".ixx"}

_INCLUDE = re.compile(
    r'^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)?', re.MULTILINE
)
_MODULE_CALL = re.compile(r"^\s*candor_module\(\s*(\w+)([^)]*)\)", re.MULTILINE)
_KEYWORDS = {"DEPENDS", "LIBRARIES"}


def module_of(path):
    """The module that a file of ours belongs to, or None."""
    parts = PurePosixPath(path).parts
    if parts[:2] == ("include", "candor") and len(parts) > 3:
        return parts[2]
    if parts[:1] == ("src",) and len(parts) > 2:
        return "app" if parts[1] == "main" else parts[1]
    return None


def resolve(includer, quoted, header):
    """The path in the tree that an include of ours names, or None for a third-party or standard header."""
    if header.startswith("candor/"):
        return "include/" + header
    if not quoted:
        return None
    parts = []
    for part in (*PurePosixPath(includer).parent.parts, *PurePosixPath(header).parts):
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def may(arrows):
    return ", ".join(arrows) if arrows else "only the standard library"


def judge_ours(path, module, target):
    """What is wrong with module's file including target, a file of ours; None if nothing is."""
    other = module_of(target)
    if other not in ARROWS:
        return f"{target} belongs to no module"
    if other == module:
        if PurePosixPath(path).name == SETTINGS and PurePosixPath(target).name != SETTINGS:
            return f"{SETTINGS} holds plain structs: it includes core and other {SETTINGS}, not {target}"
        if path.startswith("include/") and target.startswith("src/"):
            return f"a public header includes {target}, which is private"
        return None
    if target.startswith("src/"):
        return f"{target} is private to {other}; what others may use is in include/candor/{other}"
    is_settings = PurePosixPath(target).name == SETTINGS
    if module == "config" and is_settings:
        return None
    if other not in ARROWS[module]:
        extra = f", and the other modules' {SETTINGS}" if module == "config" else ""
        return f"{module} -> {other}: no such arrow; {module} may include {may(ARROWS[module])}{extra}"
    if PurePosixPath(path).name == SETTINGS and other != "core" and not is_settings:
        return f"{SETTINGS} holds plain structs: it includes core and other {SETTINGS}, not {target}"
    return None


def judge_foreign(path, module, header):
    """What is wrong with module's file including this third-party or system header; None if nothing is."""
    if header in STANDARD:
        return None
    for prefix, homes in HOMES:
        if header.startswith(prefix):
            if any(home == module or fnmatch(path, home) for home in homes):
                return None
            return f"{module} -> <{header}>: no such arrow; its home is {', '.join(homes)}"
    if header.endswith(".h"):
        if module in SYSTEM_HOMES:
            return None
        return f"{module} -> <{header}>: no such arrow; system headers are for {', '.join(SYSTEM_HOMES)}"
    return f"<{header}> has no home yet: name one in tests/tidy/layers.py"


def judge(path, module, quoted, angled):
    if not quoted and not angled:
        return "an include that names no file: nobody can see its arrow"
    target = resolve(path, bool(quoted), quoted or angled)
    return judge_ours(path, module, target) if target else judge_foreign(path, module, angled)


def check_file(root, path):
    module = module_of(path)
    if path.startswith("src/main/") and path != MAIN:
        return [tree.Problem(path, 1, f"src/main holds {PurePosixPath(MAIN).name} and nothing else; wiring is in app")]
    if module not in ARROWS:
        return [tree.Problem(path, 1, "belongs to no module; the modules are " + ", ".join(ARROWS))]
    problems = []
    source = tree.without(tree.read(root, path), "comment")
    for match in _INCLUDE.finditer(source):
        wrong = judge(path, module, quoted=match.group(1), angled=match.group(2))
        if wrong:
            problems.append(tree.Problem(path, source.count("\n", 0, match.start()) + 1, wrong))
    return problems


def check_links(root):
    """The libraries of CMakeLists.txt: a module links nothing that it may not include."""
    path = "CMakeLists.txt"
    if not (root / path).exists():
        return []
    problems = []
    source = re.sub(r"#[^\n]*", "", tree.read(root, path))
    for match in _MODULE_CALL.finditer(source):
        module, rest = match.group(1), match.group(2).split()
        line = source.count("\n", 0, match.start(1)) + 1
        if module not in ARROWS:
            problems.append(tree.Problem(path, line, f"{module}: no such module in tests/tidy/layers.py"))
            continue
        keyword = None
        for word in rest:
            if word in _KEYWORDS:
                keyword = word
            elif keyword == "DEPENDS" and module != "config" and word not in ARROWS[module]:
                problems.append(tree.Problem(path, line, f"{module} -> {word}: no such arrow; {module} may link "
                                                         f"{may(ARROWS[module])}"))
    return problems


def check(root):
    paths = tree.files(root, tree.CPP, "include", "src")
    problems = check_links(root)
    for path in tree.files(root, OTHER_SUFFIXES, "include", "src"):
        problems.append(tree.Problem(path, 1, "C++ lives in .hpp and .cpp; nothing else is checked"))
    for path in paths:
        problems += check_file(root, path)
    return problems, len(paths)


if __name__ == "__main__":
    sys.exit(tree.run("layers", check))
