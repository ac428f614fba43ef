"""The demonstration, which needs nothing: no configuration, no free hand."""

import re

from support.candor import command
from support.case import RealCase, main


class Demonstration(RealCase):
    def test_one_round_of_the_demo_ends_by_itself(self):
        shown = command(["demo", "--once", *self._speed()], self.folder, within=60)
        self.assertEqual(shown.status(), 0, shown.stderr)
        self.assertEqual(shown.died(), "", shown.stderr)
        self.assertIn("circuit", shown.stdout)

    def _speed(self):
        """The fastest that it offers."""
        offered = command(["demo", "--help"], self.folder).stdout
        shortest = re.search(r"--seconds-per-phase FLOAT:.* in \[([0-9.]+) -", offered)
        return ["--seconds-per-phase", shortest[1]] if shortest else []


if __name__ == "__main__":
    main()
