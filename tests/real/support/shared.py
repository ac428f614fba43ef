"""What tests of shared ports have in common."""

from support.books import settled_books
from support.case import RealCase


class SharedPort(RealCase):
    """One listener of some kind, before an upstream that echoes."""

    listener = {}

    def setUp(self):
        super().setUp()
        self.peer = self.echo()
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address], "hosts": ["web.internal"]}},
                                 listeners=[self.listener])
        self.port = self.proxy.ports["shared"]

    def _check_books(self, attempts):
        books = settled_books(self, self.proxy, "web")
        self.assertEqual((books.ledger["started"], books.ledger["success"]), (attempts, attempts), books.ledger)
        return books
