"""Club news only to who agreed, once, and not after a no (PRV-2)."""

import re
from datetime import timedelta

import pytest
from peewee import DatabaseError

import config
import mails
from gateways.sms import segments
from models.base import db
from models.club_member import ClubMember
from models.club_news import is_wanted, write_news
from models.consent import (
    KINDS,
    MARKETING,
    BadLink,
    Consent,
    NoConsent,
    of_stop_token,
    of_take_back_token,
    stop_token,
    take_back_token,
)
from models.erasure import Erasure
from models.number import ProfileNumber
from models.outbox import WATCH_KINDS, Mail
from models.person_data import data_of, person_of
from models.profile import Profile
from models.refusal import Refusal
from models.retention import RULES, retain
from models.sms import Sms
from models.sms_text import compose
from tests.club import joined, joined_fixed, offer
from tests.query_count import assert_query_count
from tests.world import NOW, later, own_number, profile


def agrees(who, *kinds):
    for kind in kinds or ("club_email", "club_sms"):
        Consent.say(who, kind, True, NOW, wording="Po", channel="web")


def withdraws(who, kind):
    Consent.say(who, kind, False, later(1), wording="Jo", channel="web")


@pytest.fixture
def arben():
    return joined().profile


def news(of=None):
    return list(write_news(of or offer(), NOW))


@pytest.mark.rule("PRV-2")
def test_it_is_no_until_somebody_says_yes_and_the_last_word_counts(arben):
    assert Consent.of(arben) == dict.fromkeys(KINDS, False)
    assert not Consent.say(arben, "club_sms", False, NOW, wording="x", channel="web")
    agrees(arben, "club_sms")
    agrees(arben, "club_sms")
    withdraws(arben, "club_sms")
    assert Consent.of(arben) == dict.fromkeys(KINDS, False)
    said = [(row.given, row.wording) for row in Consent.select().order_by(Consent.id)]
    assert said == [
        (True, "Po"),
        (False, "Jo"),
    ]


@pytest.mark.rule("PRV-2")
def test_what_was_said_is_not_changed_afterwards(arben):
    agrees(arben)
    with pytest.raises(DatabaseError), db.atomic():
        Consent.update(given=False).execute()


@pytest.mark.rule("PRV-2")
def test_news_go_to_who_agreed_alone_each_the_way_they_agreed_to(arben):
    wanted = {}
    for place, kinds in enumerate(((), ("club_email",), ("club_sms",), ("club_email", "club_sms")), 2):
        who = profile(f"p{place}@example.com")
        joined(own_number(who, f"3897010000{place}"))
        if kinds:
            agrees(who, *kinds)
        wanted[who.email] = kinds
    # Agreed, and has nothing in the club.
    agrees(profile("none@example.com"))
    own_number(Profile.get(Profile.email == "none@example.com"), "38970100008")
    news()
    assert {row.recipient for row in Mail.select()} == {
        email for email, kinds in wanted.items() if "club_email" in kinds
    }
    assert {row.recipient for row in Sms.select()} == {"38970100004", "38970100005"}


@pytest.mark.rule("PRV-2", "MSG-1")
def test_of_an_offer_a_profile_hears_once_however_often_it_is_written_and_whatever_it_has(arben):
    joined(own_number(arben, "38970100002"))
    agrees(arben)
    of = offer()
    news(of)
    news(of)
    assert (Mail.select().count(), Sms.select().count()) == (1, 1)
    assert Sms.get().recipient == "38970100001"
    besa = profile("besa@example.com")
    joined(own_number(besa, "38970100003"))
    agrees(besa)
    news(of)
    assert (Mail.select().count(), Sms.select().count()) == (2, 2)
    news(offer("NEXT"))
    assert (Mail.select().count(), Sms.select().count()) == (4, 4)


@pytest.mark.rule("PRV-2")
def test_who_is_in_the_club_with_a_fixed_service_alone_gets_mails_alone():
    arben = profile()
    number = own_number(arben)
    fixed = joined_fixed(number.subscriber)
    ClubMember.update(profile=arben).where(ClubMember.id == fixed.id).execute()
    agrees(arben)
    news()
    assert (Mail.select().count(), Sms.select().count()) == (1, 0)


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("row", [Mail, Sms])
def test_after_a_no_what_was_written_before_is_not_sent(arben, row):
    agrees(arben)
    news()
    message = row.claim(NOW)
    assert is_wanted(message)
    withdraws(arben, "club_email" if row is Mail else "club_sms")
    assert message.send(later(2)) == "failed"
    assert row.get().sent_at is None
    # Nor does it go out when it is tried again by hand.
    row.update(state="due", due_at=NOW).execute()
    assert row.claim(NOW).send(later(3)) == "failed"


@pytest.mark.rule("PRV-2")
def test_what_goes_to_a_number_or_a_mailbox_that_has_left_the_profile_is_not_sent(arben):
    agrees(arben)
    news()
    ProfileNumber.delete().execute()
    assert not is_wanted(Sms.get())
    assert is_wanted(Mail.get())
    Profile.update(email="moved@example.com").execute()
    assert not is_wanted(Mail.get())


@pytest.mark.rule("PRV-2", "CLB-9")
def test_stop_from_a_number_ends_the_sms_to_every_profile_with_it_and_no_mail(arben):
    besa = profile("besa@example.com")
    ProfileNumber.create(profile=besa, number=ClubMember.get().number, added_at=NOW)
    other = profile("other@example.com")
    joined(own_number(other, "38970100002"))
    for who in (arben, besa, other):
        agrees(who)
    assert Consent.stop_sms("38970100001", NOW) == 2
    assert Consent.stop_sms("38970100001", NOW) == 0
    assert Consent.stop_sms("38970999999", NOW) == 0
    assert [Consent.of(who)["club_sms"] for who in (arben, besa, other)] == [False, False, True]
    assert all(Consent.of(who)["club_email"] for who in (arben, besa, other))


@pytest.mark.rule("PRV-2")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_each_message_tells_how_to_stop(arben, language):
    Profile.update(language=language).execute()
    agrees(arben)
    news(offer(partner="Një partner me emër shumë të gjatë në Tetovë", points=12_345))
    text = compose(Sms.get())
    assert "STOP" in text
    assert "50777" in text
    assert segments(text) == 1
    message = mails.compose(Mail.get())
    prefix = "" if language == "sq" else f"/{language}"
    link = message["List-Unsubscribe"]
    assert re.fullmatch(rf"<http://shop\.test{prefix}/klubi/lajmet/ndal/[\w.-]+>", link)
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        assert link[1:-1] in message.get_body((kind,)).get_content()
    assert of_stop_token(link[1:-1].rpartition("/")[2]) == arben


@pytest.mark.rule("PRV-2")
def test_the_link_names_one_profile_and_cannot_be_made_up(arben):
    besa = profile("besa@example.com")
    token = stop_token(arben)
    assert of_stop_token(token) == arben
    forged = stop_token(besa).partition(".")[0] + "." + token.partition(".")[2]
    for bad in ("", "x", "1", forged, token[:-1], token + "x"):
        with pytest.raises(BadLink):
            of_stop_token(bad)
    Profile.delete().where(Profile.id == besa.id).execute()
    with pytest.raises(BadLink):
        of_stop_token(stop_token(besa))


@pytest.mark.rule("PRV-2")
def test_many_profiles_are_written_to_with_few_queries_each(arben):
    for place in range(60):
        who = profile(f"p{place}@example.com")
        joined(own_number(who, f"389702{place + 50:05}"))
        agrees(who)
    of = offer()
    # Two writes for each, and a handful of looks for all of them.
    with assert_query_count(60 * 2 + 12):
        assert news(of) == [60]
    assert Mail.select().count() == Sms.select().count() == 60


@pytest.mark.rule("PRV-2")
def test_a_message_without_a_profile_is_wanted_by_nobody(arben):
    agrees(arben)
    news()
    Sms.update(data={"offer": 1}).execute()
    assert Sms.get().is_too_late(NOW + timedelta(days=1))


# Where marketing is written


@pytest.mark.rule("PRV-2")
def test_no_outbox_takes_marketing_without_the_live_yes_of_who_gets_it(arben):
    besa = profile("besa@example.com")
    agrees(besa)
    Consent.say_as_guest("guest@example.com", "cart_email", True, NOW, wording="Po", channel="checkout")
    mine, hers = None, Consent.live("club_email", profile=besa)
    guests = Consent.live("cart_email", email="guest@example.com")
    withdraws(besa, "club_sms")
    no = Consent.select().where(~Consent.given).get()
    told = {"language": "sq", "profile": arben, "data": {"offer": 1}}
    for consent in (mine, hers, guests, no):
        with pytest.raises(NoConsent):
            Mail.write_to(arben.email, "club_news", NOW, key="k", consent=consent, **told)
        with pytest.raises(NoConsent):
            Sms.write("club_news", "38970100001", "sq", NOW, key="k", data={"profile": arben.id}, consent=consent)
        with pytest.raises(NoConsent):
            Mail.write_to(arben.email, "cart_reminder", NOW, key="k", consent=consent, **told)
    with pytest.raises(NoConsent):
        Mail.write_to("another@example.com", "cart_reminder", NOW, key="k", language="sq", consent=guests)
    for write_all, kind in ((Mail.write_all, "club_news"), (Sms.write_all, "club_news")):
        with pytest.raises(NoConsent):
            write_all(kind, [{"recipient": arben.email}], NOW)
    assert Mail.select().count() == Sms.select().count() == 0


@pytest.mark.rule("PRV-2")
def test_each_marketing_message_keeps_which_yes_it_went_out_by_and_falls_with_it(arben):
    agrees(arben)
    news()
    for row in (Mail, Sms):
        message = row.get()
        consent = Consent.get_by_id(message.data["consent"])
        assert (consent.profile, consent.kind) == (arben, MARKETING[row.what, "club_news"])
        # A row that somebody wrote by hand goes nowhere.
        row.update(data={"offer": message.data["offer"], "profile": arben.id}).execute()
        assert row.get().is_too_late(NOW)


@pytest.mark.rule("PRV-2")
def test_every_mail_that_can_be_stopped_is_marketing_with_a_consent_or_was_asked_for_by_itself():
    folder = config.ROOT / "templates" / "mail"
    stopped = {page.parent.name for page in folder.glob("*/page.txt") if "stop_url" in page.read_text("utf-8")}
    needing = {kind for outbox, kind in MARKETING if outbox == "mail"}
    assert needing <= stopped
    # One mail about one device, which its reader confirmed in the mailbox (models/watch.py).
    assert stopped - needing <= set(WATCH_KINDS)


# Guests


def says(email="ana@example.com", given=True, channel="checkout", at=NOW):
    return Consent.say_as_guest(email, "cart_email", given, at, wording="Po", channel=channel)


@pytest.mark.rule("PRV-2")
def test_a_guests_mailbox_is_one_whatever_its_case_and_its_last_word_counts():
    assert says("Ana@Example.com")
    assert not says("ana@example.com ")
    yes = Consent.live("cart_email", email="ANA@example.com")
    assert (yes.email, yes.profile_id, yes.is_live) == ("ana@example.com", None, True)
    assert says(given=False)
    assert not yes.is_live
    assert says(at=later(1))
    with pytest.raises(ValueError, match="club_email"):
        Consent.say_as_guest("ana@example.com", "club_email", True, NOW, wording="x", channel="checkout")
    assert Consent.live("cart_email") is None


@pytest.mark.rule("PRV-2")
def test_who_stopped_the_mails_in_the_mailbox_is_not_signed_up_by_what_a_stranger_ticks(arben):
    says()
    consent = of_take_back_token(take_back_token(Consent.get()))
    assert consent.take_back(later(1), wording="Mos", channel="mail")
    assert not consent.take_back(later(2), wording="Mos", channel="mail")
    assert not says(at=later(3))
    # Nor who said no in the profile with that mailbox; who never said anything may.
    assert says(arben.email)
    says(arben.email, given=False)
    agrees(arben, "cart_email")
    withdraws(arben, "cart_email")
    assert not says(arben.email, at=later(3))
    assert Consent.live("cart_email", email=arben.email) is None


def stopped(email="ana@example.com"):
    says(email)
    Consent.live("cart_email", email=email).take_back(later(1), wording="Mos", channel="mail")


@pytest.mark.rule("PRV-2", "PRV-3")
def test_who_stopped_the_mails_stays_unasked_when_the_proof_has_gone_and_the_address_with_it():
    stopped()
    stopped("Besa@Example.com")
    says("drita@example.com")
    says("drita@example.com", given=False)
    late = later(days=config.KEEP_CONSENT_DAYS + 2)
    [consents] = [rule for rule in RULES if rule.name == "consents"]
    assert retain(consents, late).count == 6
    assert not Consent.select().exists()
    assert not [row for row in Refusal.select().dicts() if "ana" in str(row) or "besa" in str(row)]
    for email in ("Ana@example.com", "besa@example.com"):
        assert not says(email, at=late)
        assert [row["kind"] for row in data_of(person_of(email))["refusal"]] == ["cart_email"]
    # Who took a tick away may set it again.
    assert says("drita@example.com", at=late)
    for rule in RULES:
        retain(rule, later(days=3660))
    assert not says(at=late)


@pytest.mark.rule("PRV-2", "PRV-4")
@pytest.mark.parametrize("where", ["mailbox", "profile", "nowhere"])
def test_who_stopped_the_mails_stays_unasked_when_the_profile_is_erased(arben, where):
    email = arben.email
    if where == "mailbox":
        stopped(email)
    elif where == "profile":
        agrees(arben, "cart_email")
        withdraws(arben, "cart_email")
    else:
        agrees(arben, "cart_email")
    Erasure.ask(arben, "", NOW).confirm(NOW)
    over = later(days=config.ERASURE_DAYS)
    assert Erasure.carry_out_all_due(over) == 1
    assert says(email, at=over) == (where == "nowhere")
    assert email not in str(list(Refusal.select().dicts()))


@pytest.mark.rule("PRV-2")
def test_a_profile_sees_every_word_it_said_and_its_mailboxs_once_it_is_verified(arben):
    says(arben.email)
    agrees(arben, "club_sms")
    besa = profile("besa@example.com")
    agrees(besa)
    assert [(word.kind, word.profile_id) for word in Consent.history(arben)] == [
        ("club_sms", arben.id),
        ("cart_email", None),
    ]
    arben.verified_at = None
    assert [word.kind for word in Consent.history(arben)] == ["club_sms"]


@pytest.mark.rule("PRV-2")
def test_the_link_that_takes_a_consent_back_names_it_alone_and_cannot_be_made_up(arben):
    says()
    agrees(arben, "club_email")
    yes = Consent.live("cart_email", email="ana@example.com")
    token = take_back_token(yes)
    assert "ana" not in token
    assert of_take_back_token(token) == yes
    for bad in ("", "x", str(yes.id), token[:-1], token + "x", stop_token(arben)):
        with pytest.raises(BadLink):
            of_take_back_token(bad)
    with pytest.raises(BadLink):
        of_stop_token(token)
