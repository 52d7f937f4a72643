"""What 50777 answers and *777# shows: what it does, in whose language, and how long it is (CLB-9, CLB-10)."""

from datetime import date
from types import SimpleNamespace

import pytest

from gateways.sms import fits_gsm, segments
from models.base import db
from models.bss_event import BssEvent
from models.club_answers import Words, answer_sms, answer_ussd
from models.club_ledger import ClubEntry, audit, block, usable_points
from models.club_member import ClubMember
from models.club_rate import BUNDLES, UNITS, Rate
from models.club_service import ClubService
from models.club_words import BUNDLE_WORDS, DIGITS
from models.consent import Consent
from models.inbound_sms import InboundSms
from models.number import Number
from models.profile import Profile
from models.sms import Sms
from models.subscriber import Holder
from models.voucher import Voucher
from tests.club import give, joined, offer
from tests.world import NOW, later

NUMBER = "38970100001"
LANGUAGES = ("sq", "mk", "en")


@pytest.fixture
def member():
    return joined(points=100)


def sms(text, message="m-1", sender=NUMBER, now=NOW):
    return answer_sms(sender, text, message, now)


def dial(text="", code="*777*1#", session="s-1", now=NOW):
    return answer_ussd(f"+{NUMBER}", session, code, text, now)


def left(member):
    return usable_points(ClubMember.get_by_id(member.id), NOW)


# 50777


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize(
    ("text", "what", "amount", "cost", "answer"),
    [
        ("20 MB", "MB", 100, 20, "20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS."),
        ("15 SMS", "SMS", 15, 15, "15 pikë = 15 SMS, 30 ditë. Aktivizimin ua konfirmojmë me SMS."),
        ("12 mms", "MMS", 12, 12, "12 pikë = 12 MMS, 30 ditë. Aktivizimin ua konfirmojmë me SMS."),
        ("90 hej", "hej", 1, 90, "90 pikë = hej, 1 muaj. Aktivizimin ua konfirmojmë me SMS."),
        ("90Msuper", "super", 1, 90, "90 pikë = Super Rrethi, 1 muaj. Aktivizimin ua konfirmojmë me SMS."),
        ("90 MFILLO", "fillo", 1, 90, "90 pikë = Fillo 10, 1 muaj. Aktivizimin ua konfirmojmë me SMS."),
    ],
)
def test_points_become_what_the_sms_says_and_the_network_is_told(member, text, what, amount, cost, answer):
    assert sms(text) == answer
    [service] = ClubService.select()
    assert (service.what, service.amount, service.channel, service.state) == (what, amount, "sms", "ordered")
    assert left(member) == 100 - cost
    assert [event.subject for event in BssEvent.select()] == [service.uuid]
    assert list(audit()) == []


@pytest.mark.rule("CLB-9", "CLB-8")
def test_the_code_of_an_offer_alone_brings_a_voucher_by_sms_and_mail(member):
    offer(points=60)
    assert sms(" kinema ") == "60 pikë për ofertën KINEMA. Kodi për partnerin vjen me SMS."
    [voucher] = Voucher.select()
    assert voucher.channel == "sms"
    assert [(row.kind, row.recipient, row.data) for row in Sms.select()] == [
        ("voucher", NUMBER, {"voucher": voucher.id})
    ]
    assert voucher.code not in sms(" kinema ")
    assert left(member) == 40


@pytest.mark.rule("CLB-9")
def test_a_message_that_is_brought_again_converts_once_and_is_answered_alike(member):
    answers = {sms("20 MB", now=later(minutes=minutes)) for minutes in (0, 1, 60 * 24)}
    assert len(answers) == 1
    assert left(member) == 80
    assert (ClubService.select().count(), BssEvent.select().count(), InboundSms.select().count()) == (1, 1, 1)
    sms("20 MB", "m-2")
    assert left(member) == 60


@pytest.mark.rule("CLB-9")
def test_a_message_that_was_refused_stays_refused_when_it_is_brought_again(member):
    first = sms("101 MB")
    give(member, 100)
    assert sms("101 MB") == first
    assert left(member) == 200


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("101 MB", "Duhen 101 pikë, ju keni 100. Nuk u konvertua asgjë."),
        ("9 MB", "Konvertohen së paku 10 pikë, për shembull: 10 MB"),
        ("0 SMS", "Konvertohen së paku 10 pikë, për shembull: 10 SMS"),
        ("80 hej", "hej jepet për 90 pikë. Shkruani: 90 hej"),
        ("100 Msuper", "Super Rrethi jepet për 90 pikë. Shkruani: 90 Msuper"),
        ("KINEMA", "Duhen 600 pikë, ju keni 100. Nuk u konvertua asgjë."),
    ],
)
def test_what_cannot_be_converted_is_answered_with_what_can_be_done(member, text, answer):
    offer()
    assert sms(text) == answer
    assert left(member) == 100
    assert ClubService.select().count() == Voucher.select().count() == BssEvent.select().count() == 0


HELP = "Shkruani: 10 MB, 10 SMS, 10 MMS, 90 hej, 90 Msuper, 90 Mfillo ose kod oferte."


@pytest.mark.rule("CLB-9")
@pytest.mark.parametrize("text", ["", "?", "HELP", "NUKKA", "1234567 MB", "20 GB", "90", "mirëdita", "💬"])
def test_anything_else_is_answered_with_help(member, text):
    assert sms(text) == HELP
    assert left(member) == 100


@pytest.mark.rule("CLB-9", "CLB-17")
def test_the_help_names_what_is_offered_and_at_todays_price(member):
    day = NOW.date()
    Rate.create(name="bundle", key="hej", since=day, value=120)
    Rate.create(name="bundle", key="fillo", since=day, value=0)
    Rate.create(name="unit", key="MMS", since=day, value=0)
    assert sms("?") == "Shkruani: 10 MB, 10 SMS, 120 hej, 90 Msuper ose kod oferte."
    gone = "Kjo ofertë nuk jepet tani. Të gjitha i gjeni në faqen e klubit."
    assert sms("90 hej", "m-2") == "hej jepet për 120 pikë. Shkruani: 120 hej"
    assert [sms(text, f"n-{text}") for text in ("90 Mfillo", "20 MMS")] == [gone, gone]


@pytest.mark.rule("CLB-9")
def test_a_number_that_is_no_member_is_told_how_to_become_one():
    said = "Numri nuk është në Klubi Im. Anëtarësohuni në web ose në dyqan."
    assert [sms(text, text) for text in ("20 MB", "KINEMA", "?", "pike")] == [said] * 4


@pytest.mark.rule("CLB-9", "CLB-14")
@pytest.mark.parametrize("text", ["20 MB", "KINEMA", "PIKE"])
def test_a_number_that_is_somebody_elses_now_learns_nothing_of_the_member_before(member, text):
    offer(points=60)
    other = Holder.create(id_number="0202990450007", segment="private", first_name="Ana", last_name="M")
    number = Number.get_by_id(member.number_id)
    number.subscriber.holder = other
    number.subscriber.save()
    assert "nuk është në Klubi Im" in sms(text)
    assert "nuk është në Klubi Im" in dial().text
    assert ClubService.select().count() == Voucher.select().count() == 0


@pytest.mark.rule("CLB-7", "CLB-9")
@pytest.mark.parametrize("text", ["20 MB", "90 hej", "KINEMA"])
def test_blocked_points_are_answered_with_why(member, text):
    offer(points=60)
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    assert sms(text) == "Pikët janë bllokuar, sepse nuk fituat të reja. Hapen kur të fitoni."
    assert sms("pike", "m-2") == "Keni 100 pikë të bllokuara. Hapen kur të fitoni pikë sërish."


@pytest.mark.rule("CLB-9", "CLB-15")
def test_the_balance_is_told_with_what_lapses_next(member):
    give(member, 30, until=date(2026, 6, 30))
    assert sms("PIKE") == "Keni 130 pikë; prej tyre 100 vlejnë deri më 8.6.2026"
    assert sms("PIKE", "m-2", now=NOW.replace(month=7, day=2)) == "Keni 0 pikë në Klubi Im."


@pytest.mark.rule("PRV-2", "CLB-9")
def test_stop_ends_club_news_by_sms_for_member_and_stranger_alike(member):
    owner = Profile.get()
    Consent.say(owner, "club_sms", True, NOW, wording="po", channel="web")
    said = "Nga ky numër nuk do të merrni më lajme të klubit me SMS."
    assert sms("Stop") == said
    assert Consent.of(owner)["club_sms"] is False
    assert sms("Stop", "m-2", sender="38970999999") == said


@pytest.mark.rule("MSG-3", "CLB-9")
def test_the_answer_is_in_the_members_language():
    member = joined(points=100)
    answers = {}
    for language in LANGUAGES:
        ClubMember.update(language=language).where(ClubMember.id == member.id).execute()
        answers[language] = (sms("20 MB", f"m-{language}"), dial("3", session=language).text.splitlines()[0])
    assert answers == {
        "sq": ("20 pikë = 100 MB, 30 ditë. Aktivizimin ua konfirmojmë me SMS.", "Sa pikë?"),
        "mk": ("20 поени = 100 MB, 30 дена. Ќе Ви јавиме кога ќе почнат.", "Колку поени?"),
        "en": ("20 points = 100 MB for 30 days. We will text you once they are active.", "How many points?"),
    }


# *777#


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    ("inputs", "what", "amount", "cost"),
    [
        ("2*20*1", "SMS", 20, 20),
        ("3*20*1", "MB", 100, 20),
        ("4*20*1", "MMS", 20, 20),
        ("5*1", "fillo", 1, 90),
        ("6*1", "super", 1, 90),
    ],
)
def test_each_digit_converts_after_a_yes(member, inputs, what, amount, cost):
    steps = inputs.split("*")
    screens = [dial("*".join(steps[:count])) for count in range(len(steps) + 1)]
    assert [screen.is_last for screen in screens] == [False] * len(steps) + [True]
    assert screens[0].text == "Konverto:\n2 SMS\n3 MB\n4 MMS\n5 Fillo 10\n6 Super Rrethi\n0 Kthehu"
    assert "1 Po\n2 Jo" in screens[-2].text
    [service] = ClubService.select()
    assert (service.what, service.amount, service.channel) == (what, amount, "ussd")
    assert left(member) == 100 - cost


@pytest.mark.rule("CLB-10")
def test_the_screens_on_the_way_say_what_is_asked(member):
    assert dial(code="*777#").text == "Klubi Im: 100 pikë\n1 Konverto\n2 Pikët e mia"
    assert dial("9", code="*777#").text.startswith("Zgjidhni 1 ose 2:")
    assert dial("2", code="*777#").text == "Keni 100 pikë; prej tyre 100 vlejnë deri më 8.6.2026"
    assert dial("9").text.startswith("Zgjidhni 2-6:\n2 SMS")
    assert dial("3").text == "Sa pikë?\nSë paku 10, keni 100\n1 = 5 MB\n0 Kthehu"
    assert dial("3*x").text.startswith("Shkruani sa pikë:\n")
    assert dial("3*20").text == "20 pikë = 100 MB, 30 ditë?\n1 Po\n2 Jo\n0 Kthehu"
    assert dial("6").text == "90 pikë = Super Rrethi, 1 muaj?\n1 Po\n2 Jo\n0 Kthehu"
    assert dial("6*2").text == "Nuk u konvertua asgjë."
    assert left(member) == 100


@pytest.mark.rule("CLB-10")
def test_one_session_converts_once_whatever_is_typed_after_it(member):
    first = dial("3*20*1")
    assert dial("3*20*1") == first
    assert dial("2*30*1") == first
    assert left(member) == 80
    dial("3*20*1", session="s-2")
    assert left(member) == 60
    for _ in range(2):
        dial("3*20*1", session="ë" * 400)
    assert left(member) == 40
    assert max(len(entry.key) for entry in ClubEntry.select()) <= 100


@pytest.mark.rule("CLB-10")
@pytest.mark.parametrize(
    ("inputs", "said"),
    [("3*101", "Duhen 101 pikë, ju keni 100."), ("3*9", "Konvertohen së paku 10 pikë")],
)
def test_what_cannot_be_converted_ends_before_the_question(member, inputs, said):
    for typed in (inputs, f"{inputs}*1"):
        screen = dial(typed)
        assert (screen.is_last, screen.text.startswith(said)) == (True, True)
    assert left(member) == 100


@pytest.mark.rule("CLB-7", "CLB-10")
def test_blocked_points_show_in_the_menu_and_are_not_converted(member):
    with db.atomic():
        block(ClubMember.hold(member.id, NOW), NOW, ["2026-01", "2026-02"])
    assert dial(code="*777#").is_last is False
    for inputs in ("", "3", "3*20", "3*20*1", "6*1"):
        screen = dial(inputs)
        assert (screen.is_last, "bllokuar" in screen.text) == (True, True)


@pytest.mark.rule("CLB-10")
def test_a_number_that_is_no_member_is_told_so_on_the_screen():
    screen = dial()
    assert (screen.is_last, "nuk është në Klubi Im" in screen.text) == (True, True)


# How long


def limit(text):
    return 160 if fits_gsm(text) else 70


@pytest.mark.rule("CLB-9", "CLB-10", "MSG-3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_with_the_longest_numbers_is_one_sms(language):
    words, most = Words(language), 123_456
    member = joined(points=most)
    member.language = language
    give(member, 876_543, until=date(2026, 12, 31))
    member = ClubMember.get_by_id(member.id)
    blocked = SimpleNamespace(is_blocked=True, balance=999_999)
    entry = SimpleNamespace(points=-most)
    services = [SimpleNamespace(what=what, amount=999_999, days=30, entry=entry) for what in (*UNITS, *BUNDLES)]
    voucher = SimpleNamespace(entry=entry, offer=SimpleNamespace(code="W" * 12))
    said = [
        *(words.service(service) for service in services),
        *(words.other_price(what, most) for what in BUNDLE_WORDS),
        *(words.too_few(1000, what) for what in UNITS),
        words.voucher(voucher),
        words.balance(member, NOW),
        words.balance(blocked, NOW),
        words.stopped(),
        words.help(NOW),
        words.no_member(),
        words.no_offer(),
        words.no_success(),
        words.nothing_converted(),
        words.not_enough(999_999, most),
        words.blocked(),
    ]
    assert [(text, len(text)) for text in said if segments(text) > 1] == []


@pytest.mark.rule("CLB-10", "MSG-3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_screen_with_the_longest_numbers_fits_the_phone(language):
    member = joined(points=999_999)
    ClubMember.update(language=language).where(ClubMember.id == member.id).execute()
    day = NOW.date()
    for unit in UNITS:
        Rate.create(name="unit", key=unit, since=day, value=10)
    Rate.create(name="least", key="", since=day, value=1000)
    typed = ["", "9", "0", "0*9", "0*2", *DIGITS, *(f"{digit}*x" for digit in DIGITS)]
    typed += [f"{digit}*99999" for digit in "234"] + [f"{digit}*999999*9" for digit in "234"]
    typed += ["5*9", "6*9", "3*5", "3*99999*2"]
    screens = [dial(text, session=f"{language}-{text}").text for text in typed]
    assert [(text, len(text)) for text in screens if len(text) > limit(text)] == []
