"""Lists, filters and the search of the shelf (CAT-6), checked against the plainest way to do the same."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue_index import FLAGS, SORTS, CatalogueIndex, Entry, Query
from models.search_text import KIND_WORDS, SMALL_WORDS, words

pytestmark = pytest.mark.rule("CAT-6")

PHONE = {"kind": "phone", "released": 202501, "in_stock": True}
SHELF = [
    Entry(
        id=1,
        brand="Samsung",
        price=5_999_000,
        popularity=90,
        storages=(256, 512),
        colours=("black", "blue"),
        os="Android",
        five_g=True,
        text="Samsung Galaxy S25 Ultra Самсунг Галакси S25 Ultra E zezë Titan Црна Black SM-S938B",
        **PHONE,
    ),
    Entry(
        id=2,
        brand="Apple",
        price=6_499_000,
        popularity=95,
        storages=(256, 1024),
        colours=("black",),
        os="iOS",
        five_g=True,
        text="Apple iPhone 16 Pro Епл Ајфон 16 Pro I zi Црна Black",
        **PHONE,
    ),
    Entry(
        id=3,
        brand="Xiaomi",
        price=1_499_000,
        popularity=70,
        storages=(128,),
        colours=("green",),
        os="Android",
        discounted=True,
        text="Xiaomi Redmi Note 14 Ксиаоми Редми Ноут 14 E gjelbër Зелена Green",
        **PHONE,
    ),
    Entry(
        id=4,
        brand="Samsung",
        price=2_299_000,
        popularity=80,
        storages=(128,),
        colours=("grey",),
        os="Android",
        five_g=True,
        gift=True,
        text="Samsung Galaxy A56 5G Самсунг Галакси A56 5G Gri Сива Grey",
        **PHONE,
    ),
    Entry(
        id=5,
        brand="Google",
        price=3_999_000,
        popularity=60,
        storages=(128,),
        colours=("white",),
        os="Android",
        five_g=True,
        text="Google Pixel 9 Гугл Пиксел 9 Porcelan Порцелан Porcelain",
        **{**PHONE, "in_stock": False},
    ),
    Entry(
        id=6,
        brand="Lenovo",
        kind="tablet",
        price=1_199_000,
        popularity=40,
        released=202403,
        storages=(64, 128),
        colours=("grey",),
        os="Android",
        in_stock=True,
        text="Lenovo Tab M11 Леново Tab M11 Gri Сива Grey",
    ),
    Entry(
        id=7,
        brand="Samsung",
        kind="accessory",
        price=129_000,
        popularity=99,
        released=202402,
        colours=("white",),
        in_stock=True,
        text="Kabllo USB-C për Galaxy S25 Кабел USB-C за Galaxy S25 USB-C cable for Galaxy S25 E bardhë",
    ),
    Entry(
        id=8,
        brand="Apple",
        kind="accessory",
        price=249_000,
        popularity=85,
        released=202409,
        colours=("black",),
        in_stock=True,
        text="Këllëf silikoni për iPhone 16 Pro Силиконска футрола за iPhone 16 Pro Silicone case I zi",
    ),
    Entry(
        id=9,
        brand="Huawei",
        kind="accessory",
        price=499_000,
        popularity=50,
        released=202406,
        colours=("purple",),
        in_stock=True,
        text="Huawei FreeBuds 6i Хуавеј FreeBuds 6i Vjollcë Виолетова Violet",
    ),
    Entry(
        id=10,
        brand="Motorola",
        price=1_099_000,
        popularity=30,
        storages=(256,),
        colours=("blue",),
        os="Android",
        text="Motorola Moto G85 Моторола Мото G85 Blu Сина Blue",
        **PHONE,
    ),
]


@pytest.fixture
def index():
    index = CatalogueIndex()
    index.update(SHELF, 7)
    return index


def found(index, q, **filters):
    return index.search(Query(q=q, sort="relevance", per_page=50, **filters)).ids


# The plain way


def plain_terms(entry):
    text = f"{entry.brand} {entry.text}"
    facts = [KIND_WORDS[entry.kind], entry.os or "", "5G" if entry.five_g else ""]
    facts += [f"{size}GB" for size in entry.storages]
    facts += [f"{size // 1024}TB" for size in entry.storages if size % 1024 == 0]
    both = words(text, compounds=True) + words(" ".join(facts))
    return {term for each in both for term in each.terms}


def plain_level(asked, terms):
    """2: the word is there whole, 1: as a beginning, 0: not at all."""
    if asked.key in terms:
        return 2
    if min(len(asked.raw), len(asked.stem)) < 2:
        return 0
    number = asked.stem.isdecimal() and len(asked.stem) < 4
    for term in terms:
        rest = term.removeprefix(asked.stem)
        if term.startswith(asked.stem) and not (number and not rest[:1].isalpha()):
            return 1
    return 0


def plain_tests(query, entry):
    """Each filter that is set, and whether the entry passes it."""
    tests = {}
    if query.brands:
        tests["brand"] = entry.brand in query.brands
    if query.storages:
        tests["storage"] = bool(query.storages & set(entry.storages))
    if query.colours:
        tests["colour"] = bool(query.colours & set(entry.colours))
    if query.os:
        tests["os"] = entry.os in query.os
    for flag in FLAGS:
        if getattr(query, flag):
            tests[flag] = getattr(entry, flag)
    low, high = query.price_from, query.price_to
    tests["price"] = (low is None or entry.price >= low) and (high is None or entry.price <= high)
    return tests


def plain_search(entries, query):
    """What `search` must answer while every word matches as it is typed."""
    asked = {each.key: each for each in words(query.q)}.values()
    asked = [each for each in asked if each.key not in SMALL_WORDS] or list(asked)
    considered = []
    for entry in entries:
        terms = plain_terms(entry)
        levels = [plain_level(each, terms) for each in asked]
        if (query.kind in (None, entry.kind)) and all(levels):
            considered.append((entry, plain_tests(query, entry), sum(level == 2 for level in levels)))

    def let_through(without=None):
        return [
            (entry, whole)
            for entry, tests, whole in considered
            if all(passed for name, passed in tests.items() if name != without)
        ]

    keys = {
        "popular": lambda e, whole: (-e.popularity, e.id),
        "price": lambda e, whole: (e.price, -e.popularity, e.id),
        "-price": lambda e, whole: (-e.price, -e.popularity, e.id),
        "newest": lambda e, whole: (-e.released, -e.popularity, e.id),
        "relevance": lambda e, whole: (-whole, -e.popularity, e.id),
    }
    shown = sorted(let_through(), key=lambda pair: keys[query.sort](*pair))
    pages = max(1, -(-len(shown) // query.per_page))
    page = min(max(1, query.page), pages)
    start = (page - 1) * query.per_page
    facets = {}
    for name, chosen, values_of in [
        ("brand", query.brands, lambda e: {e.brand}),
        ("storage", query.storages, lambda e: set(e.storages)),
        ("colour", query.colours, lambda e: set(e.colours)),
        ("os", query.os, lambda e: {e.os} - {None}),
    ]:
        counts = dict.fromkeys(chosen, 0)
        for entry, _ in let_through(without=name):
            for value in values_of(entry):
                counts[value] = counts.get(value, 0) + 1
        by = (lambda pair: pair[0]) if name == "storage" else (lambda pair: (-pair[1], pair[0]))
        facets[name] = sorted(counts.items(), key=by)
    for flag in FLAGS:
        facets[flag] = [(True, sum(getattr(entry, flag) for entry, _ in let_through(without=flag)))]
    prices = [entry.price for entry, _ in let_through(without="price")]
    return {
        "ids": [entry.id for entry, _ in shown[start : start + query.per_page]],
        "total": len(shown),
        "page": page,
        "pages": pages,
        "facets": facets,
        "price_min": min(prices, default=None),
        "price_max": max(prices, default=None),
    }


BRANDS = ["Samsung", "Apple", "Xiaomi", "Епл & Co"]
COLOURS = ["black", "blue", "green"]
STORAGES = [64, 128, 1024]
OSES = ["Android", "iOS"]
VOCABULARY = ["Galaxy", "галакси", "S25", "A56", "25", "256", "iPhone", "Note", "Ноут", "14", "USB-C", "case"]
VOCABULARY += ["kabllo", "për", "E", "zezë", "titan", "tit"]
ASKED = ["ga", "galaxy", "галакси", "s25", "s2", "25", "256", "note", "zez", "tita", "usbc", "për", "kabel", "5g"]

entries = st.builds(
    Entry,
    id=st.integers(1, 30),
    kind=st.sampled_from(sorted(KIND_WORDS)),
    brand=st.sampled_from(BRANDS),
    price=st.integers(1, 6),
    released=st.sampled_from([202401, 202402, 202501]),
    popularity=st.integers(0, 4),
    storages=st.sets(st.sampled_from(STORAGES)).map(lambda values: tuple(sorted(values))),
    colours=st.sets(st.sampled_from(COLOURS)).map(lambda values: tuple(sorted(values))),
    os=st.sampled_from([None, *OSES]),
    five_g=st.booleans(),
    in_stock=st.booleans(),
    discounted=st.booleans(),
    gift=st.booleans(),
    text=st.lists(st.sampled_from(VOCABULARY), max_size=5).map(" ".join),
)
# Most changes of a shop are these: the words stay as they are.
restocked = st.builds(
    replace,
    st.sampled_from(
        [
            Entry(id=number, kind="phone", brand="Apple", price=1, released=202401, popularity=1, text="iPhone")
            for number in (1, 2)
        ]
    ),
    price=st.integers(1, 6),
    popularity=st.integers(0, 4),
    colours=st.sampled_from([(), ("black",), ("blue", "green")]),
    in_stock=st.booleans(),
    gift=st.booleans(),
)
shelves = st.lists(entries, max_size=30, unique_by=lambda entry: entry.id)


def choices(values):
    return st.frozensets(st.sampled_from(values), max_size=2)


queries = st.builds(
    Query,
    kind=st.sampled_from([None, None, "phone", "tablet"]),
    q=st.lists(st.sampled_from(ASKED), max_size=2).map(" ".join),
    brands=choices([*BRANDS, "Unknown"]),
    price_from=st.none() | st.integers(0, 7),
    price_to=st.none() | st.integers(0, 7),
    storages=choices([*STORAGES, 7]),
    colours=choices(COLOURS),
    os=choices(OSES),
    five_g=st.booleans(),
    in_stock=st.booleans(),
    discounted=st.booleans(),
    gift=st.booleans(),
    sort=st.sampled_from(SORTS),
    page=st.integers(-1, 5),
    per_page=st.integers(1, 5),
)
# Most of the generated queries set so many filters that nothing is left; these leave more.
light_queries = queries.map(
    lambda query: replace(query, five_g=False, discounted=False, gift=False, storages=frozenset(), os=frozenset())
)


def assert_answers(index, shelf, query):
    result = index.search(query)
    plain = plain_search(shelf, query)
    if result.corrected is not None:
        # Something was forgiven: only allowed where nothing matched as it was typed.
        assert plain_search(shelf, Query(q=query.q))["total"] == 0
        return
    assert {name: getattr(result, name) for name in plain} == plain
    assert bool(result.nearest) == (result.total == 0 and bool(shelf))


@settings(max_examples=150, deadline=None)
@given(shelves, st.lists(queries | light_queries, min_size=1, max_size=6))
def test_pages_totals_and_counts_equal_those_of_going_through_every_device(shelf, asked):
    index = CatalogueIndex()
    index.update(shelf, 1)
    for query in asked:
        assert_answers(index, shelf, query)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(entries | restocked, max_size=8), st.sets(st.integers(1, 30), max_size=5)), max_size=8
    ),
    st.lists(queries | light_queries, min_size=1, max_size=4),
    st.sampled_from([4, 40, 16_384]),
)
def test_an_index_that_followed_changes_equals_one_that_is_built_anew(changes, asked, packing):
    index, shelf = CatalogueIndex(packing), {}
    for version, (changed, gone) in enumerate(changes, 1):
        index.update(changed, version)
        shelf |= {entry.id: entry for entry in changed}
        index.remove(gone)
        shelf = {number: entry for number, entry in shelf.items() if number not in gone}
        assert (index.version, len(index)) == (version, len(shelf))
        for query in asked:
            assert_answers(index, shelf.values(), query)
    anew = CatalogueIndex()
    anew.update(shelf.values(), index.version)
    for query in asked:
        assert index.search(query) == anew.search(query)
        assert index.suggest(query.q) == anew.suggest(query.q)


def test_thousands_of_devices_are_answered_as_exactly_as_a_few():
    random = Random(5)
    shelf = [
        Entry(
            id=number,
            kind=random.choice(sorted(KIND_WORDS)),
            brand=f"Brand{random.choice('abcdefghijklmnopqrstuvwxyz')}",
            price=random.randrange(1, 900),
            released=random.choice([202401, 202502]),
            popularity=random.randrange(50),
            storages=tuple(random.sample(STORAGES, random.randrange(3))),
            colours=tuple(random.sample(COLOURS, random.randrange(3))),
            os=random.choice([None, *OSES]),
            in_stock=random.random() < 0.9,
            text=" ".join(random.sample(VOCABULARY, 4)) + f" SKU-{number}",
        )
        for number in range(1, 4501)
    ]
    index = CatalogueIndex(packing=2000)
    index.update(iter(shelf), 1)
    for number in random.sample(range(4500), 300):
        shelf[number] = replace(shelf[number], price=7, text=shelf[number].text + " ri")
        index.update([shelf[number]], 2)
    named = [
        Query(page=100),
        Query(sort="price", page=371, brands=frozenset(["Branda", "Brandb"])),
        Query(sort="-price", price_from=100, price_to=200, storages=frozenset([128])),
        Query(sort="relevance", q="galaxy s2", in_stock=True, page=3),
        Query(sort="newest", q="ri", kind="phone"),
        Query(sort="relevance", q="sku 4321"),
    ]
    # Many devices and few are counted, sorted and priced in different ways.
    drawn = [
        Query(
            kind=random.choice([None, None, "phone", "accessory"]),
            q=random.choice(["", "", "galaxy", "ri", *(" ".join(random.sample(VOCABULARY, 2)) for _ in range(4))]),
            brands=frozenset(random.sample(["Branda", "Brandb", "Brandc"], random.choice([0, 0, 1, 3]))),
            colours=frozenset(random.sample(COLOURS, random.choice([0, 0, 2]))),
            price_from=random.choice([None, None, 300]),
            in_stock=random.random() < 0.3,
            sort=random.choice(SORTS),
            page=random.choice([1, 1, 2, 9, 60]),
        )
        for _ in range(60)
    ]
    for query in named + drawn:
        assert_answers(index, shelf, query)
    # What was counted before a change is not said after it.
    index.remove([1, 2])
    shelf = [replace(shelf[2], brand="Brandz", price=1, storages=(4096,), colours=(*COLOURS,)), *shelf[3:]]
    index.update(shelf[:1], 3)
    for query in named + drawn[:20]:
        assert_answers(index, shelf, query)


# Filters, pages and orders as a shopper sees them


def test_a_filter_counts_what_each_of_its_values_would_show(index):
    result = index.search(Query(kind="phone", brands=frozenset(["Samsung"]), in_stock=True))
    assert result.ids == [1, 4]
    assert result.facets["brand"] == [("Samsung", 2), ("Apple", 1), ("Motorola", 1), ("Xiaomi", 1)]
    assert result.facets["storage"] == [(128, 1), (256, 1), (512, 1)]
    assert result.facets["in_stock"] == [(True, 2)]
    assert result.facets["gift"] == [(True, 1)]


def test_a_chosen_value_stays_in_its_filter_even_where_it_shows_nothing(index):
    result = index.search(Query(kind="tablet", brands=frozenset(["Apple", "Nobody"])))
    assert result.facets["brand"] == [("Lenovo", 1), ("Apple", 0), ("Nobody", 0)]
    assert result.total == 0


def test_the_price_range_is_that_of_all_other_filters(index):
    result = index.search(Query(brands=frozenset(["Samsung"]), price_to=130_000))
    assert (result.ids, result.price_min, result.price_max) == ([7], 129_000, 5_999_000)


def test_both_ends_of_the_price_range_belong_to_it(index):
    assert index.search(Query(price_from=1_199_000, price_to=1_499_000, sort="price")).ids == [6, 3]


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (2, 2), (4, 4), (99, 4)])
def test_a_page_that_is_not_there_becomes_the_nearest_one(index, asked, given):
    result = index.search(Query(page=asked, per_page=3))
    assert (result.page, result.pages, len(result.ids)) == (given, 4, 1 if given == 4 else 3)


def test_an_empty_index_answers_with_one_empty_page():
    index = CatalogueIndex()
    result = index.search(Query(q="galaxy", kind="phone", brands=frozenset(["Apple"]), price_from=1))
    assert (result.ids, result.total, result.page, result.pages, result.nearest) == ([], 0, 1, 1, [])
    assert (result.price_min, result.price_max) == (None, None)
    assert index.suggest("gal") == []
    assert len(index) == 0


def test_an_unknown_sort_and_an_empty_page_size_are_refused():
    with pytest.raises(ValueError, match="sort"):
        Query(sort="cheapest")
    with pytest.raises(ValueError, match="per_page"):
        Query(per_page=0)


# Search that forgives


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("galaxy s25", 1),
        ("S25 GALAXY", 7),
        ("галакси с25 ултра", 1),
        ("galaksi ultra samsung", 1),
        ("ајфон 16", 2),
        ("ajfon", 2),
        ("шаоми", 3),
        ("ксиаоми редми", 3),
        ("redmi ноут", 3),
        ("хуавеј", 9),
        ("viollce", 9),
        ("vjollce", 9),
        ("e zeze", 1),
        ("e gjelber", 3),
        ("kabel usb-c", 7),
        ("кабел usbc", 7),
        ("cable", 7),
        ("kellef per iphone", 8),
        ("tabletë lenovo", 6),
        ("таблет", 6),
        ("telefon google", 5),
        ("samsung 512gb", 1),
        ("samsung 512 GB", 1),
        ("iphone 1TB", 2),
        ("a 56", 4),
        ("s 25 ultra", 1),
        ("SM-S938B", 1),
        ("s938", 1),
        ("pixel 9", 5),
        ("motor", 10),
    ],
)
def test_search_finds_whatever_the_script_the_diacritics_and_the_order(index, q, first):
    result = index.search(Query(q=q, sort="relevance"))
    assert result.corrected is None
    assert first in result.ids


@pytest.mark.parametrize(
    ("q", "understood", "first"),
    [
        ("samsnug", "samsung", 1),
        ("smsung", "samsung", 1),
        ("samsungg a65", None, None),
        ("galazy s25 ultra", "galaxy s25 ultra", 1),
        ("gallaxi a56", None, 4),
        ("ihpone 16", "iphone 16", 2),
        ("iphome", "iphone", 2),
        ("xioami", "xiaomi", 3),
        ("xaiomi redmi", "xiaomi redmi", 3),
        ("huwaei", "huawei", 9),
        ("motorolla", None, 10),
        ("motorla g85", "motorola g85", 10),
        ("googel pixle", "google pixel", 5),
        ("самснуг ултра", "samsung ultra", 1),
        ("galaxys25", "galaxy s25", 1),
        ("iphone16", "iphone 16", 2),
        ("s25ultra", "s25 ultra", 1),
        ("free buds", "freebuds", 9),
        ("red mi note", "redmi note", 3),
    ],
)
def test_one_mistake_in_a_word_is_forgiven_and_said(index, q, understood, first):
    result = index.search(Query(q=q, sort="relevance"))
    assert result.corrected == understood
    assert (first in result.ids) if first else (result.total == 0)


@given(
    st.sampled_from(["samsung", "galaxy", "iphone", "xiaomi", "redmi", "google", "pixel", "huawei", "motorola"]),
    st.data(),
)
@settings(max_examples=300, deadline=None)
def test_any_one_letter_wrong_in_a_name_still_finds_the_device(name, data):
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz"))
    typed = data.draw(
        st.sampled_from(
            [
                name[:at] + name[at + 1 :],
                name[:at] + letter + name[at:],
                name[:at] + letter + name[at + 1 :],
                name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :],
            ]
        )
    )
    index = CatalogueIndex()
    index.update(SHELF, 1)
    meant = index.search(Query(q=name)).ids
    assert set(index.search(Query(q=typed)).ids) & set(meant)


def test_a_word_that_is_found_is_never_corrected(index):
    result = index.search(Query(q="tab", kind="tablet"))
    assert (result.ids, result.corrected) == ([6], None)


def test_words_that_never_meet_are_not_bent_until_they_do(index):
    result = index.search(Query(q="lenovo iphone"))
    assert (result.total, result.corrected) == (0, None)


def test_words_too_short_and_words_with_digits_are_not_corrected(index):
    assert index.search(Query(q="tax")).total == 0
    assert index.search(Query(q="g58")).total == 0


def test_whole_words_come_before_beginnings_and_then_what_is_popular(index):
    assert found(index, "s25") == [7, 1]
    extra = Entry(id=11, kind="phone", brand="Tit", price=1, released=202501, popularity=1, text="Tit 1")
    index.update([extra], 8)
    assert found(index, "tit") == [11, 1]


def test_a_number_is_not_the_beginning_of_a_longer_one(index):
    assert found(index, "25", kind="phone") == []
    assert set(found(index, "256", kind="phone")) == {1, 2, 10}


def test_filters_and_words_work_together(index):
    assert found(index, "galaxy", kind="phone", colours=frozenset(["grey"])) == [4]


def test_a_query_of_signs_alone_finds_nothing_and_offers_what_is_popular(index):
    result = index.search(Query(q="?!", kind="phone"))
    assert (result.total, result.nearest) == (0, [2, 1, 4, 3])


def test_a_very_long_query_is_cut_not_refused(index):
    assert index.search(Query(q="galaxy " * 5000)).total == 3


# An empty result helps


def test_an_empty_result_gives_up_filters_before_words(index):
    result = index.search(
        Query(q="iphone", kind="phone", brands=frozenset(["Samsung"]), colours=frozenset(["black"]))
    )
    assert result.total == 0
    assert result.nearest[:2] == [2, 8]


def test_an_empty_result_prefers_what_has_the_most_of_the_words(index):
    result = index.search(Query(q="lenovo galaxy ultra"))
    assert result.total == 0
    assert result.nearest[0] == 1


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        (Query(q="zxzxz"), False),
        (Query(price_from=10**9), False),
        (Query(q="galaxy zxzxz"), True),
        (Query(kind="phone", price_from=10**9), True),
        (Query(five_g=True, price_from=10**9), True),
    ],
)
def test_an_empty_result_says_whether_the_nearest_have_anything_that_was_asked_for(index, asked, near):
    result = index.search(asked)
    assert (result.total, bool(result.nearest), result.is_near) == (0, True, near)


def test_a_misspelt_word_is_understood_anew_when_the_shelf_changes(index):
    assert index.search(Query(q="zephyrr")).corrected is None
    index.update([replace(SHELF[0], id=77, brand="Zephyr", text="Zephyr One")], 8)
    result = index.search(Query(q="zephyrt"))
    assert (result.corrected, result.ids) == ("zephyr", [77])
    index.remove([77])
    assert index.search(Query(q="zephyrt")).ids == []


def test_an_empty_result_names_at_most_four(index):
    assert len(index.search(Query(price_to=1)).nearest) == 4


# Suggestions


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("g", 1),
        ("gal", 1),
        ("галак", 1),
        ("samsung g", 1),
        ("galaxy samsung a", 4),
        ("ip", 2),
        ("iph", 2),
        ("iphon", 2),
        ("ајф", 2),
        ("x", 3),
        ("xi", 3),
        ("шао", 3),
        ("iphone 1", 2),
        ("samsnug ul", 1),
        ("motoo", 10),
    ],
)
def test_suggestions_follow_while_the_last_word_is_typed(index, typed, first):
    assert index.suggest(typed)[0] == first


def test_suggestions_put_the_model_before_what_fits_it(index):
    # The cable for the S25 is the most popular of all.
    assert index.suggest("galaxy s25") == [1, 7]


def test_suggestions_are_no_more_than_asked_for(index):
    assert len(index.suggest("s", limit=2)) == 2
    assert index.suggest("s", limit=0) == []
    assert index.suggest("") == []
    assert index.suggest("zxzxz") == []


# Keeping up with changes


def test_a_removed_device_is_gone_from_lists_filters_and_search(index):
    index.remove([1, 7, 999], version=8)
    assert (len(index), index.version) == (8, 8)
    assert found(index, "s25") == []
    assert dict(index.search(Query()).facets["brand"])["Samsung"] == 1


def test_a_changed_device_is_found_by_its_new_words_only(index):
    index.update([replace(SHELF[4], text="Google Pixel 10 Пиксел 10")], 8)
    assert (found(index, "pixel 10"), found(index, "porcelain")) == ([5], [])
    assert index.version == 8


def test_the_last_of_two_rows_with_one_id_counts(index):
    index.update([replace(SHELF[0], price=1), replace(SHELF[0], price=2)], 8)
    assert index.search(Query(sort="price")).price_min == 2
    assert len(index) == 10


def test_a_device_that_sells_out_or_changes_colour_leaves_the_filters_it_was_in(index):
    index.update([replace(SHELF[0], in_stock=False, colours=("white",), price=1, popularity=1)], 8)
    assert index.search(Query(in_stock=True, brands=frozenset(["Samsung"]))).ids == [7, 4]
    assert index.search(Query(colours=frozenset(["black"]))).ids == [2, 8]
    assert index.search(Query(colours=frozenset(["white"]), sort="price")).ids == [1, 7, 5]


def test_a_row_that_comes_again_much_later_in_one_load_counts_once():
    index = CatalogueIndex()
    row = SHELF[0]
    load = [replace(row, id=number, price=number) for number in range(1, 2501)]
    index.update([*load, replace(row, id=1, price=9000, text="Samsung Galaxy Z")], 1)
    result = index.search(Query(sort="-price", per_page=2500))
    assert (len(index), result.total, result.ids[:2], len(result.ids)) == (2500, 2500, [1, 2500], 2500)
    assert index.search(Query(q="galaxy ultra")).total == 2499


def test_an_update_without_rows_only_takes_the_version(index):
    index.update([], 9)
    assert (index.version, len(index)) == (9, 10)


@given(st.text(max_size=30), st.integers(), st.integers(), st.integers())
@settings(max_examples=100, deadline=None)
def test_no_text_price_or_page_from_a_url_breaks_the_search(q, price_from, price_to, page):
    index = CatalogueIndex()
    index.update(SHELF, 1)
    result = index.search(Query(q=q, price_from=price_from, price_to=price_to, page=page, sort="relevance"))
    assert 1 <= result.page <= result.pages
    assert index.search(Query(price_from=-(10**40), price_to=10**40, page=10**40)).page == 1
    assert set(index.suggest(q)) <= {entry.id for entry in SHELF}
