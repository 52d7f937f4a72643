"""The shop with the worst of luck: nobody ever asked for this page, these cards or this device before.

Before each request it forgets every kept page, every drawn card, what every list found and counted, and every device
it has read. What all pages of a list have in common (translated words, the header, the names of its filters, all of a
card that is no fact of a device, the order and the counts of all phones together) stays, as it does after the first.
"""

from app import create_app as create_shop
from models.shelf import shelf
from views import cards, kept


def create_app():
    app = create_shop()

    @app.before_request
    def forget():
        with kept._turn:
            kept._kept.clear()
        cards.forget()
        with shelf._turn:
            shelf._found.clear()
            shelf._cards.clear()
            shelf.index._counted.clear()
        shelf._offered.clear()

    return app
