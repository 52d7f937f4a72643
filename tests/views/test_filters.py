"""The address of a list, read and written (CAT-6)."""

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from views.filters import FAMILIES, SORTS, Filters, clean_text

KNOWN = {"brand": {"Samsung", "Apple", "Nothing & Co"}, "storage": {64, 128, 1024}, "os": {"Android", "iOS"}}

some = st.builds(
    Filters,
    q=st.text(max_size=60).map(clean_text),
    brands=st.sets(st.sampled_from(sorted(KNOWN["brand"]))).map(lambda found: tuple(sorted(found))),
    price_from=st.none() | st.integers(1, 40_000),
    price_to=st.none() | st.integers(40_000, 90_000),
    storages=st.sets(st.sampled_from(sorted(KNOWN["storage"]))).map(lambda found: tuple(sorted(found))),
    colours=st.sets(st.sampled_from(sorted(FAMILIES))).map(lambda found: tuple(sorted(found))),
    os=st.sets(st.sampled_from(sorted(KNOWN["os"]))).map(lambda found: tuple(sorted(found))),
    five_g=st.booleans(),
    in_stock=st.booleans(),
    discounted=st.booleans(),
    gift=st.booleans(),
    sort=st.sampled_from(["", *(name for name in SORTS if name != "te-kerkuarat")]),
    page=st.integers(1, 99_999),
)


def read(query_string: str) -> Filters:
    return Filters.read(
        MultiDict(parse_qsl(query_string.removeprefix("?"), keep_blank_values=True)), KNOWN.__getitem__
    )


@pytest.mark.rule("CAT-6")
@given(some)
def test_what_is_written_into_an_address_is_read_from_it(filters):
    assert read(filters.query_string()) == filters


@given(st.lists(st.tuples(st.sampled_from(["q", "marka", "nga", "deri", "memoria", "faqe", "5g", "x"]), st.text())))
def test_any_address_is_read_and_its_own_form_stays_as_it_is(pairs):
    filters = Filters.read(MultiDict(pairs), KNOWN.__getitem__)
    written = filters.query_string()
    assert read(written).query_string() == written
    assert len(filters.q) <= 80
    assert filters.page >= 1


@pytest.mark.parametrize("name", ["q", "price_from", "page", "sort"])
def test_changing_anything_but_the_page_leads_to_the_first_page(name):
    filters = Filters(page=7)
    changed = filters.but(**{name: {"q": "a", "price_from": 5, "page": 3, "sort": "cmimi"}[name]})
    assert changed.page == (3 if name == "page" else 1)


def test_the_order_of_a_list_is_no_filter_and_stays_when_filters_are_cleared():
    filters = Filters(q="galaxy", sort="cmimi", brands=("Apple",), page=2)
    assert filters.is_filtered
    assert filters.cleared() == Filters(q="galaxy", sort="cmimi")
    assert not filters.cleared().is_filtered
