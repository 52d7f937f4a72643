"""The billing system's extract: taken whole or not at all, again and again, and nobody's data in what is said."""

from datetime import UTC, date, datetime

import pytest

from models.bss_import import BadExtract, BssExtract
from models.cart import Cart
from models.club_member import FixedService
from models.contract import Contract
from models.invoice import Invoice
from models.new_number import NewNumber
from models.number import Number, ProfileNumber
from models.sheet import Unreadable
from models.subscriber import Holder, Subscriber
from tests.world import NOW, build, cart_with, contract_line, later, ordered, profile

SUBSCRIBERS = """code,holder_id,segment,first_name,last_name,company,since,has_history
S-1,0101990450006,private,Ana,Markovska,,2020-03-01,no
S-2,0101990450006,private,Ana,Markovska,,2025-12-15,yes
S-3,4030990123456,business,,,Firma dooel,2023-01-31,
"""
NUMBERS = """msisdn,subscriber,sim_end,kind,tariff,active
38970100101,S-1,112233,postpaid,linja-m,yes
38970100102,S-2,445566,prepaid,,
38970100103,S-3,778899,postpaid,linja-max,
"""
INVOICES = """number,subscriber,issued_on,due_on,amount,paid_at,paid_through
F-1,S-1,2026-01-31,2026-02-15,1899.5,2026-02-20T09:30,shop
F-2,S-1,2026-02-01,2026-02-28,899,,
F-3,S-3,2026-03-01,2026-03-15,12000,,
"""
CONTRACTS = """code,msisdn,kind,device,started_on,ends_on,price,instalments,instalments_paid,paid,ended
K-1,38970100101,besnik24,Galaxy S25,2025-03-10,2027-03-09,24000,24,12,,
K-2,38970100103,besnik24,iPhone 16,2023-01-01,2024-12-31,30000,1,1,30000,yes
"""
NEW_NUMBERS = """msisdn,state
38970200001,
38970200002,free
38970200003,sold
"""
FIXED_SERVICES = """code,subscriber,kind,package,active
FX-1,S-1,internet,net-100,
FX-2,S-3,bundle,duo-300,yes
"""
FILES = {
    "subscribers.csv": SUBSCRIBERS,
    "numbers.csv": NUMBERS,
    "invoices.csv": INVOICES,
    "contracts.csv": CONTRACTS,
    "new_numbers.csv": NEW_NUMBERS,
    "fixed_services.csv": FIXED_SERVICES,
}
TABLES = (Holder, Subscriber, Number, Invoice, Contract, NewNumber, FixedService)


def load(now=NOW, skip_bad=False, progress=None, **changed):
    """Take the files above; `numbers=…` is another numbers.csv, None for none."""
    texts = {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}
    content = {name: text.encode() for name, text in texts.items() if text is not None}
    return BssExtract(content).load(now, skip_bad=skip_bad, progress=progress)


def only(now=NOW, skip_bad=False, **files):
    """Take these files and no others."""
    content = {f"{name}.csv": text.encode() for name, text in files.items()}
    return BssExtract(content).load(now, skip_bad=skip_bad)


def rows():
    return [list(table.select().order_by(table.id).dicts()) for table in TABLES]


def blamed(caught):
    return {name: [str(bad) for bad in count.bad] for name, count in caught.value.counts.items() if count.bad}


def test_an_extract_is_taken_as_it_stands_in_its_files():
    counts = load()
    assert {name: count.added for name, count in counts.items()} == {
        "subscribers.csv": 3,
        "numbers.csv": 3,
        "invoices.csv": 3,
        "contracts.csv": 2,
        "new_numbers.csv": 3,
        "fixed_services.csv": 2,
    }
    bundle = FixedService.get(FixedService.code == "FX-2")
    assert (bundle.subscriber.code, bundle.kind, bundle.package, bundle.active) == ("S-3", "bundle", "duo-300", True)
    ana = Holder.get(Holder.id_number == "0101990450006")
    assert (ana.segment, ana.name, [code.code for code in ana.subscribers]) == (
        "private",
        "Ana Markovska",
        ["S-1", "S-2"],
    )
    assert Holder.get(Holder.segment == "business").name == "Firma dooel"
    second = Subscriber.get(Subscriber.code == "S-2")
    assert (second.since, second.has_history) == (date(2025, 12, 15), True)
    number = Number.of_msisdn("38970100102")
    assert (number.holder, number.sim_end, number.kind, number.tariff, number.active) == (
        ana,
        "445566",
        "prepaid",
        "",
        True,
    )
    paid = Invoice.get(Invoice.number == "F-1")
    # Skopje is an hour ahead of UTC in February.
    assert (paid.amount, paid.paid_at) == (189_950, datetime(2026, 2, 20, 8, 30, tzinfo=UTC))
    contract = Contract.get(Contract.code == "K-1")
    assert (contract.price, contract.paid, contract.share_paid, contract.ended) == (2_400_000, 1_200_000, 0.5, False)
    assert [number.state for number in NewNumber.select().order_by(NewNumber.msisdn)] == ["free", "free", "sold"]


def test_a_second_time_nothing_changes_and_nothing_is_doubled():
    load()
    before = rows()
    counts = load()
    assert {(count.added, count.changed) for count in counts.values()} == {(0, 0)}
    assert [count.unchanged for count in counts.values()] == [3, 3, 3, 2, 3, 2]
    assert rows() == before


def test_what_changed_is_updated_in_place_and_what_is_not_named_stays():
    load()
    before = Invoice.get(Invoice.number == "F-2").id
    header = INVOICES.splitlines()[0]
    counts = only(invoices=f"{header}\nF-2,S-1,2026-02-01,2026-02-28,899,2026-03-10T11:00Z,bank\n")
    assert (counts["invoices.csv"].changed, counts["invoices.csv"].added) == (1, 0)
    invoice = Invoice.get(Invoice.number == "F-2")
    assert (invoice.id, invoice.paid_at, invoice.paid_through) == (before, NOW, "bank")
    assert Invoice.select().count() == 3


def test_a_holder_that_changes_its_name_changes_it_on_all_its_codes():
    load()
    counts = load(subscribers=SUBSCRIBERS.replace("Markovska", "Petrovska"))
    assert (counts["subscribers.csv"].changed, counts["subscribers.csv"].unchanged) == (2, 1)
    assert Holder.get(Holder.segment == "private").name == "Ana Petrovska"


def test_columns_that_a_file_does_without_keep_what_is_known():
    load()
    only(numbers="msisdn,subscriber,sim_end,kind\n38970100101,S-1,999999,postpaid\n")
    number = Number.of_msisdn("38970100101")
    assert (number.sim_end, number.tariff) == ("999999", "linja-m")


BAD = [
    ("subscribers", "S-1,0101990450006", "S 1,0101990450006", "2: code: must be at most 30 letters"),
    ("subscribers", "S-1,0101990450006,private", "S-1,0101990450006,vip", "2: segment: must be private or business"),
    ("subscribers", "2020-03-01", "2020-02-30", "2: since: is no day of the calendar"),
    ("subscribers", "2020-03-01", "1.3.2020", "2: since: must be a day such as"),
    ("subscribers", "Firma dooel", "", "4: company: is blank, but a business has a name"),
    ("subscribers", "Ana,Markovska,,2025", ",Markovska,,2025", "3: first_name: is blank, but a private"),
    ("subscribers", "Markovska,,2025", "Petrovska,,2025", "3: holder_id: has another segment or name than on line 2"),
    ("subscribers", "S-2", "S-1", "3: code: is on line 2, too"),
    ("numbers", "38970100101", "070100101", "2: msisdn: must be a number with its country code"),
    ("numbers", "112233", "11223", "2: sim_end: must be the last six digits"),
    ("numbers", "38970100102,S-2", "38970100102,S-9", "3: subscriber: is no subscriber code of the shop"),
    ("numbers", "prepaid", "", "3: kind: is blank"),
    ("numbers", "linja-m,yes", "linja-m,maybe", "2: active: must be yes or no"),
    ("invoices", "1899.5", "1.899,50", "2: has 8 cells, the header has 7"),
    ("invoices", "1899.5", "1899.555", "2: amount: must be an amount such as 1899 or 1899.50"),
    ("invoices", ",899,", ",0,", "3: amount: must be from 0.01 to"),
    ("invoices", "2026-02-20T09:30", "2026-02-20", "2: paid_at: must be a moment such as"),
    ("invoices", "2026-02-20T09:30,shop", "2026-02-20T09:30,", "2: paid_through: is not told, but paid_at is"),
    ("invoices", "899,,", "899,,bank", "3: paid_at: is blank, but paid_through is not"),
    ("invoices", "2026-02-28", "2026-01-28", "3: due_on: is before issued_on"),
    ("contracts", "besnik24,Galaxy", "lease,Galaxy", "2: kind: must be besnik24"),
    ("contracts", "24000,24,12", "24000,18,12", "2: instalments: must be 1, 6, 12 or 24"),
    ("contracts", "30000,1,1", "30000,1,2", "3: instalments_paid: is more than there are instalments"),
    ("contracts", "30000,yes", "30001,yes", "3: paid: is more than the price"),
    ("contracts", "2027-03-09", "2025-03-09", "2: ends_on: is before started_on"),
    ("contracts", "38970100101", "38970100109", "2: msisdn: is no number of the shop or of numbers.csv"),
    ("new_numbers", "38970200002", "38970100103", "3: msisdn: is in use already"),
    ("fixed_services", "S-3", "S-9", "3: subscriber: is no subscriber code"),
    ("fixed_services", "bundle", "radio", "3: kind: must be internet, tv or bundle"),
    ("new_numbers", "sold", "gone", "4: state: must be free or sold"),
]


@pytest.mark.parametrize(("name", "old", "new", "said"), BAD, ids=[f"{bad[0]}: {bad[3]}" for bad in BAD])
def test_a_bad_line_is_told_by_file_line_and_column_and_changes_nothing(name, old, new, said):
    text = FILES[f"{name}.csv"]
    assert text.count(old) >= 1
    with pytest.raises(BadExtract) as caught:
        load(**{name: text.replace(old, new, 1)})
    told = blamed(caught)[f"{name}.csv"]
    assert told[0].startswith(said), told
    assert [table.select().count() for table in TABLES] == [0] * len(TABLES)


@pytest.mark.rule("PRV-1")
def test_what_is_said_of_a_bad_line_quotes_no_cell():
    secret = "Personal-Secret ë"
    # Words of the format and the examples that reasons give are nobody's.
    personal = {"0101990450006", "Markovska", "38970100101", "112233", "Galaxy S25", "2020-03-01", "38970200001"}
    for name, text in FILES.items():
        header, first = text.splitlines()[:2]
        for index in range(len(first.split(","))):
            row = first.split(",")
            row[index] = secret
            with pytest.raises(BadExtract) as caught:
                load(**{name.removesuffix(".csv"): f"{header}\n{','.join(row)}\n{','.join(row)}\n"})
            told = str(blamed(caught)) + str(caught.value)
            assert secret not in told
            assert not [cell for cell in personal if cell in told], told


@pytest.mark.rule("PRV-1")
def test_a_file_without_its_header_is_refused_without_quoting_its_first_line():
    with pytest.raises(BadExtract) as caught:
        load(subscribers=SUBSCRIBERS.split("\n", 1)[1], skip_bad=True)
    told = blamed(caught)["subscribers.csv"]
    assert "1: column 2: is no column of subscribers.csv" in told
    assert "1: code: this column is missing" in told
    assert "Markovska" not in str(told)
    assert "0101990450006" not in str(told)
    assert not Subscriber.select().exists()


def test_skipping_takes_the_good_lines_and_still_tells_the_bad_ones():
    counts = load(numbers=NUMBERS.replace("112233", "x"), skip_bad=True)
    assert [str(bad) for bad in counts["numbers.csv"].bad] == [
        "2: sim_end: must be the last six digits of the SIM's number"
    ]
    assert (counts["numbers.csv"].added, counts["numbers.csv"].skipped) == (2, 1)
    # What refers to a line that was skipped is skipped as well.
    assert (counts["contracts.csv"].added, counts["contracts.csv"].skipped) == (1, 1)
    assert Number.of_msisdn("38970100101") is None


def test_a_large_file_is_taken_in_batches_and_doubles_are_found_across_them():
    header = NEW_NUMBERS.splitlines()[0]
    lines = [f"{38971000000 + number}," for number in range(1_203)]
    shares = []
    BssExtract({"new_numbers.csv": "\n".join([header, *lines]).encode()}).load(NOW, progress=shares.append)
    assert NewNumber.select().count() == 1_203
    assert shares == sorted(shares)
    assert len(shares) >= 4
    assert shares[-1] == 1.0
    with pytest.raises(BadExtract) as caught:
        only(new_numbers="\n".join([header, *lines, lines[3]]))
    assert blamed(caught) == {"new_numbers.csv": ["1205: msisdn: is on line 5, too"]}


def test_only_the_first_bad_lines_are_kept_and_all_are_counted():
    header = NEW_NUMBERS.splitlines()[0]
    with pytest.raises(BadExtract) as caught:
        only(new_numbers="\n".join([header, *["x,"] * 450]))
    count = caught.value.counts["new_numbers.csv"]
    assert (len(count.bad), count.bad_count) == (200, 450)


@pytest.mark.rule("PRO-7")
def test_an_extract_that_has_not_heard_of_a_payment_in_the_shop_does_not_undo_it():
    load()
    invoice = Invoice.get(Invoice.number == "F-2")
    assert invoice.pay(NOW)
    assert not invoice.pay(later(5), "shop")
    counts = load(now=later(60))
    assert counts["invoices.csv"].changed == 0
    invoice = Invoice.get(Invoice.number == "F-2")
    assert (invoice.paid_at, invoice.paid_through) == (NOW, "online")


def test_a_payment_that_did_not_hold_is_taken_back_by_its_word():
    load()
    only(invoices=INVOICES.replace("2026-02-20T09:30,shop", ",reversed"))
    invoice = Invoice.get(Invoice.number == "F-1")
    assert (invoice.paid_at, invoice.paid_through) == (None, "")


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({"numbers": NUMBERS.replace("38970100101,S-1", "38970100101,S-3")}, False),
        ({"numbers": NUMBERS.replace("38970100101,S-1", "38970100101,S-2")}, True),
        ({"numbers": NUMBERS.replace("linja-m,yes", "linja-m,no")}, False),
        ({"numbers": NUMBERS.replace("112233", "998877")}, True),
        ({"subscribers": SUBSCRIBERS.replace("S-1,0101990450006", "S-1,0202990450007")}, False),
        ({"subscribers": SUBSCRIBERS.replace("Markovska", "Petrovska")}, True),
    ],
    ids=["another holder", "another code of the holder", "given up", "another SIM", "code changes hands", "new name"],
)
def test_a_number_that_changes_hands_leaves_the_profile_that_proved_to_hold_it(change, stays):
    load()
    mine = profile()
    ProfileNumber.create(profile=mine, number=Number.of_msisdn("38970100101"), added_at=NOW)
    load(**change)
    assert [number.msisdn for number in Number.of_profile(mine)] == (["38970100101"] if stays else [])


@pytest.mark.rule("PRO-3", "OFF-5")
def test_what_was_in_a_cart_for_a_number_goes_when_the_number_changes_hands():
    build()
    load()
    mine, number = profile(), Number.of_msisdn("38970100101")
    ProfileNumber.create(profile=mine, number=number, added_at=NOW)
    cart = Cart.begin(NOW).join(mine, NOW)
    contract_line(cart, number=number)
    contract_line(cart)

    load(subscribers=SUBSCRIBERS.replace("S-1,0101990450006", "S-1,0202990450007"))

    assert [chosen.msisdn for chosen in cart.lines(NOW)] == [""]


@pytest.mark.rule("ELG-5")
@pytest.mark.parametrize("order", [1, -1])
def test_a_contract_that_ends_makes_room_for_the_next_wherever_they_stand(order):
    load()
    header, first, _ = CONTRACTS.splitlines()
    lines = [f"{first}yes", "K-3,38970100101,besnik24,Pixel 9,2026-03-10,2028-03-09,40000,12,0,,"][::order]
    only(contracts="\n".join([header, *lines]))
    assert Number.of_msisdn("38970100101").active_contract(NOW).code == "K-3"


@pytest.mark.rule("ELG-5")
def test_a_second_running_contract_of_a_number_is_a_bad_line():
    third = "K-3,38970100101,besnik24,Pixel 9,2026-03-10,2028-03-09,40000,12,0,,\n"
    with pytest.raises(BadExtract) as caught:
        load(contracts=CONTRACTS + third)
    assert blamed(caught) == {"contracts.csv": ["4: msisdn: has a running contract on line 2, too"]}
    load()
    with pytest.raises(BadExtract) as caught:
        only(contracts=CONTRACTS.splitlines()[0] + "\n" + third)
    assert blamed(caught) == {"contracts.csv": ["2: msisdn: has another running contract in the shop"]}


@pytest.mark.rule("ELG-5")
def test_a_contract_whose_last_day_is_past_makes_room_though_nobody_said_that_it_ended():
    load()
    third = "K-3,38970100101,besnik24,Pixel 9,2027-03-10,2029-03-09,40000,12,0,,\n"
    only(contracts=CONTRACTS.splitlines()[0] + "\n" + third, now=datetime(2027, 3, 12, tzinfo=UTC))
    assert Contract.get(Contract.code == "K-1").ended
    assert not Contract.get(Contract.code == "K-3").ended


def test_a_code_on_an_ended_and_on_a_running_line_is_a_double():
    header, first, _ = CONTRACTS.splitlines()
    with pytest.raises(BadExtract) as caught:
        load(contracts="\n".join([header, first, f"{first}yes"]))
    assert blamed(caught) == {"contracts.csv": ["2: code: is on line 3, too"]}


@pytest.mark.rule("OFF-6")
def test_an_extract_does_not_take_a_number_from_the_shopper_who_holds_or_bought_it():
    world = build()
    load()
    cart = cart_with(world, "CASE-BLACK")
    first, second = NewNumber.search("70200", NOW)
    first.hold(cart, NOW)
    first.attach(cart.held.get(), NOW)
    second.hold(cart, NOW)
    order, _ = ordered(world, "CASE-BLACK")
    second.sell(cart, order, NOW)
    load()
    assert [number.state for number in NewNumber.select().order_by(NewNumber.msisdn)] == ["held", "sold", "sold"]


@pytest.mark.rule("OFF-6")
def test_a_number_that_the_operator_sells_or_starts_to_use_leaves_the_pool_and_can_be_put_back():
    load()
    only(new_numbers="msisdn,state\n38970200001,sold\n")
    only(numbers="msisdn,subscriber,sim_end,kind\n38970200002,S-1,123456,postpaid\n")
    assert NewNumber.search("", NOW) == []
    # In use: the line of the pool's file is late.
    load()
    assert [number.msisdn for number in NewNumber.search("", NOW)] == ["38970200001"]


def test_a_folder_is_read_and_what_is_missing_in_it_is_no_error(tmp_path):
    for name in ("subscribers.csv", "numbers.csv"):
        (tmp_path / name).write_text(FILES[name])
    (tmp_path / "notes.txt").write_text("not ours")
    assert list(BssExtract(tmp_path).load(NOW)) == ["subscribers.csv", "numbers.csv"]


@pytest.mark.parametrize(
    ("there", "why"),
    [([], "holds none of subscribers.csv"), (["invoice.csv"], "is no file of an extract; is it invoices.csv?")],
)
def test_a_folder_with_nothing_to_take_or_a_misnamed_file_is_refused(tmp_path, there, why):
    for name in there:
        (tmp_path / name).write_text(INVOICES)
    with pytest.raises(Unreadable, match=why.replace("?", r"\?")):
        BssExtract(tmp_path)
    with pytest.raises(Unreadable, match="There is no folder"):
        BssExtract(tmp_path / "gone")
