"""Node's built-in fetch through Candor."""

from pathlib import Path

from support.books import settled_books
from support.case import RealCase, main
from support.optional import needs_program, program
from support.processes import ended

_CALLER = Path(__file__).resolve().parent / "runtimes" / "fetch.js"


@needs_program("node", "nodejs")
class Node(RealCase):
    def _fetch(self, what):
        peer = self.echo()
        candor = self.candor({"web": {"endpoints": [peer.address]}})
        process = ended([program("node"), _CALLER, what, candor.url("web", "")], self.folder, "caller")
        self.assertEqual(process.status(), 0, process.stderr)
        books = settled_books(self, candor, "web")
        self.assertEqual(books.ledger["started"], len(peer.asked))
        self.assertEqual(books.ledger["failure"], 0, books.ledger)
        return books

    def test_fetch_knows_all_methods_with_bodies_of_any_size(self):
        self._fetch("methods")

    def test_fetch_keeps_its_connection(self):
        books = self._fetch("kept")
        # fetch may ask again before it takes its connection for free, and then makes a second one.
        self.assertLessEqual(books.metrics.value("candor_caller_connections_accepted_total"), 2)

    def test_fetch_streams_uploads(self):
        self._fetch("uploads")

    def test_fetch_gets_a_stream_piece_by_piece(self):
        self._fetch("steps")

    def test_fetch_sends_forms_with_files(self):
        self._fetch("forms")

    def test_many_fetches_at_once_are_kept_apart(self):
        self._fetch("crowds")

    def test_fetch_understands_codings_redirects_and_bodies_until_the_end(self):
        self._fetch("codings")

    def test_a_fetch_that_is_aborted_costs_only_itself(self):
        self.assertEqual(self._fetch("leaving").ledger["abandoned"], 1)


if __name__ == "__main__":
    main()
