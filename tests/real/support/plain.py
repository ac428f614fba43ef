"""What tests have in common whose upstream has one plain answer to everything."""

from support.case import RealCase


class PlainUpstream(RealCase):
    """One upstream behind a port of its own, by default settings."""

    plain = b"plain"  # what it says

    def setUp(self):
        super().setUp()
        self.peer = self.upstream(self._answer)
        self.proxy = self.candor({"web": {"endpoints": [self.peer.address]}})

    def _answer(self, conversation):
        while conversation.request():
            conversation.answer(self.plain.decode())
