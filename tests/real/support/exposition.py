"""The Prometheus text format (0.0.4), read strictly: whatever a scraper could stumble over is an error."""

import math
import re
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: (-?\d+))?")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
_OF_HISTOGRAM = ("_bucket", "_sum", "_count")


class Malformed(AssertionError):
    """The text is not what a scraper may expect."""


@dataclass
class Family:
    """One metric with all its series. Those of a histogram keep their own names, `_bucket` and so on."""

    name: str
    kind: str = ""
    help: str = ""
    series: dict = field(default_factory=dict)  # by (name, frozenset of labels)


class Metrics:
    """One scrape."""

    def __init__(self, text):
        self.families = {}
        if not text.endswith("\n"):
            raise Malformed("the last line has no end")
        for number, line in enumerate(text.splitlines(), 1):
            try:
                self._read(line)
            except (Malformed, ValueError) as problem:
                raise Malformed(f"line {number}: {problem}: {line}") from problem
        for family in self.families.values():
            if family.kind == "histogram":
                _check_histogram(family)

    def value(self, name, **labels):
        """The sum over the series that have these labels, whatever else they have; 0 if there is none."""
        return sum(value for _, value in self.series(name, **labels))

    def series(self, name, **labels):
        """Pairs of labels and value of the series that have these labels."""
        wanted = set(labels.items())
        family = self._family_of(name)
        return [(dict(key[1]), value) for key, value in (family.series if family else {}).items()
                if key[0] == name and wanted <= key[1]]

    def _family_of(self, sample):
        if sample in self.families:
            return self.families[sample]
        for ending in _OF_HISTOGRAM:
            family = self.families.get(sample.removesuffix(ending))
            if sample.endswith(ending) and family and family.kind == "histogram":
                return family
        return None

    def _read(self, line):
        if not line:
            return
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            _, what, name, text = line.split(" ", 3)
            return self._describe(what, name, text)
        if line.startswith("#"):
            return None
        return self._sample(line)

    def _describe(self, what, name, text):
        if name not in self.families:
            self.families[name] = Family(name)
        family = self.families[name]
        if family is not list(self.families.values())[-1] or family.series:
            raise Malformed(f"{name} is described after it had begun, or in two places")
        if what == "HELP":
            family.help = text
        elif text not in ("counter", "gauge", "histogram", "summary", "untyped"):
            raise Malformed(f"no such type: {text}")
        else:
            family.kind = text

    def _sample(self, line):
        parts = _SAMPLE.fullmatch(line)
        if not parts:
            raise Malformed("neither comment nor sample")
        name, labels, value = parts[1], _labels(parts[2] or ""), float(parts[3])
        family = self._family_of(name)
        if not family or not family.kind:
            raise Malformed(f"{name} has no TYPE")
        if family is not list(self.families.values())[-1]:
            raise Malformed(f"{name} stands apart from its family")
        if family.kind == "counter" and not (value >= 0 and math.isfinite(value)):
            raise Malformed("a counter is finite and not negative")
        if (name, labels) in family.series:
            raise Malformed("a series appears twice")
        family.series[name, labels] = value


def _labels(text):
    labels, at = [], 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if not found:
            raise Malformed("labels that are none")
        labels.append((found[1], re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], found[2])))
        at = found.end()
    if len(dict(labels)) != len(labels):
        raise Malformed("a label appears twice")
    return frozenset(labels)


def _check_histogram(family):
    """Buckets grow with their bounds, the last one is +Inf and holds all."""
    buckets, counts, sums = {}, {}, {}
    for (name, labels), value in family.series.items():
        rest = frozenset(pair for pair in labels if pair[0] != "le")
        if name.endswith("_bucket"):
            buckets.setdefault(rest, []).append((float(dict(labels)["le"].replace("+Inf", "inf")), value))
        else:
            (counts if name.endswith("_count") else sums)[rest] = value
    if not buckets.keys() == counts.keys() == sums.keys():
        raise Malformed(f"{family.name}: a histogram without buckets, count or sum")
    for labels, bounds in buckets.items():
        if bounds != sorted(bounds) or [n for _, n in bounds] != sorted(n for _, n in bounds):
            raise Malformed(f"{family.name}: buckets that do not grow")
        if bounds[-1] != (math.inf, counts[labels]):
            raise Malformed(f"{family.name}: the bucket +Inf is not the count")
