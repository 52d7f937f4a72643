"""What people read in the file of their data: names, amounts, days and codes in words, in each language (PRV-4)."""

from datetime import timedelta

import pytest

import config
from language import DEFAULT
from models import MODELS, personal
from models.club_ledger import ClubEntry
from models.order import Order
from models.person_data import own_data
from models.watch import Watch
from models.wish import WishLine, WishList
from tests import world as named
from tests.query_count import assert_query_count
from views import club_words, data_words
from views.data_words import Reader, column

LANGUAGES = pytest.mark.parametrize("language", config.LANGUAGES)


@pytest.fixture
def request_in(app):
    """A request in a language, in which words are asked for."""

    def begin(language: str):
        return app.test_request_context(environ_overrides={"dyqani.language": language})

    return begin


@pytest.fixture
def tables(world, profile) -> dict:
    """The data of somebody who ordered, wishes for something and waits for something."""
    order, _ = named.ordered(world, "S25-BLACK-128")
    Order.update(profile=profile).where(Order.id == order.id).execute()
    wishes = WishList.create(profile=profile, created_at=named.NOW, seen_at=named.NOW)
    variant = world["REDMI-GREEN-128"]
    WishLine.create(wish_list=wishes, device=variant.device, price_seen=1, added_at=named.NOW)
    Watch.ask_for(profile, world["IP16-PINK-128"], "price", segment=None, now=named.NOW)
    cart = named.cart_with(world, "S25-BLUE-256")
    cart.profile = profile
    cart.save()
    return own_data(profile, named.NOW + timedelta(minutes=1))


def read(tables, name: str) -> dict[str, str]:
    return dict(Reader(tables).row(name, tables[name][-1]))


@pytest.mark.rule("PRV-4")
def test_an_order_is_read_as_its_page_says_it(tables, request_in):
    with request_in("sq"):
        order, line = read(tables, "order"), read(tables, "order_line")
    assert (order["gjithsej"], order["gjendja"]) == ("52.800\u00a0den", "Pret pagesën")
    assert (order["numri i telefonit"], order["premtuar deri më"]) == ("070\u00a0123\u00a0456", "16.03.2026")
    assert (line["pajisja"], line["ngjyra"], line["memoria"]) == ("Samsung Galaxy S25", "E zezë", "128\u00a0GB")
    assert (line["si blihet"], line["pagesa"], line["dhurata"]) == (
        "Vetëm pajisje",
        "Kartelë",
        "Kufje Galaxy Buds FE",
    )


@pytest.mark.rule("PRV-4")
@pytest.mark.parametrize(
    ("language", "what", "pink"),
    [
        ("sq", "pajisja", "Apple iPhone 16, 128\u00a0GB, Rozë"),
        ("en", "device", "Apple iPhone 16, 128\u00a0GB, Pink"),
    ],
)
def test_what_a_key_stands_for_has_a_name(tables, request_in, language, what, pink):
    with request_in(language):
        assert read(tables, "watch")[what] == pink
        assert read(tables, "cart_line")[what].startswith("Samsung Galaxy S25, 256")


@pytest.mark.rule("PRV-4", "LOC-1")
@LANGUAGES
def test_no_code_or_column_of_programs_is_read(tables, request_in, language):
    with request_in(language):
        reader = Reader(tables)
        said = [pair for name, rows in tables.items() for row in rows for pair in reader.row(name, row)]
    assert len(said) > 40
    assert tables.keys() <= data_words.TABLES.keys()
    for what, text in said:
        assert what
        assert "_" not in f"{what} {text}".replace(named.GUEST["email"], ""), (what, text)
        assert "{" not in text
        assert "5280000" not in text


@LANGUAGES
def test_whatever_happened_to_points_is_said(request_in, language):
    with request_in(language):
        for kind in ("welcome", "month", "blocked", "unblocked"):
            row = {"kind": kind, "about": {}, "points": 5}
            said = dict(Reader({}).row("club_entry", row))
            assert club_words.entry_text(ClubEntry(kind=kind, about={})) in said.values()


def test_every_personal_column_has_a_name(request_in):
    with request_in(DEFAULT):
        for model in MODELS:
            table = model._meta.table_name
            register = personal.TABLES.get(table)
            if register is None or register.withheld:
                continue
            shown = set(register.columns) - personal.untold(table) - register.internal
            held = {name for kind in register.kinds.values() for name in kind} & shown
            assert all(column(table, name) for name in held), table


def test_names_are_asked_for_once_however_many_rows_there_are(tables, request_in, world):
    for _ in range(2):
        # Of variants and of devices.
        with request_in("sq"), assert_query_count(2):
            Reader(tables)
        tables["cart_line"] = tables["cart_line"] * 30
