"""Numrat e mi: the list, adding a number in three steps, removing one (PRO-3, PRO-4, PRO-5)."""

import re

import pytest

from models.cart import Cart, CartLine
from models.contract import Contract
from models.number import Number, ProfileNumber
from models.number_claim import NumberClaim
from models.profile import Profile
from models.security_code import SecurityCode
from models.sms import Sms
from tests import world as named
from tests.models.test_number_claim import ID, MSISDN, OTHER_ID, SIM, UNKNOWN, number
from tests.query_count import assert_query_count
from tests.test_translations import Albanian, Said
from tests.views.browser import Browser
from tests.views.test_html import LANGUAGES, check

LIST, ADD = "/profili/numrat", "/profili/numrat/shto"
SENTENCE = f"Numri i telefonit celular {MSISDN} është shtuar me sukses në profilin tuaj"


@pytest.fixture
def ours(world):
    return number()


@pytest.fixture
def member(shopper, profile) -> Browser:
    shopper.log_in(profile.email)
    return shopper


@pytest.fixture
def besa(app, world) -> Browser:
    """Somebody else, who is logged in as well."""
    named.profile("besa@example.com")
    browser = Browser(app)
    browser.log_in("besa@example.com")
    return browser


def begin(browser, typed="070 100 020", prefix="", **more):
    page = browser.post(prefix + ADD, {"phone": typed, **more})
    assert page.status == 303, page.words
    return page.location


def prove(browser, address, **typed):
    page = browser.post(address, typed or {"v": "id", "id_number": ID})
    assert page.status == 303, page.words
    assert page.location == f"{address}/kodi"
    return page.location


def digits():
    return SecurityCode.select().order_by(SecurityCode.id.desc()).get().digits


def wrong_digits():
    return f"{(int(digits()) + 1) % 10**6:06}"


def on_their_way():
    return Sms.select().where(Sms.state == "due").count()


def add(browser, **more):
    address = prove(browser, begin(browser, **more))
    return browser.post(address, {"code": digits()})


# Adding


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize("typed", ["070 100 020", "38970100020", "+389 70 100 020", "00389 70/100-020", "070100020"])
@pytest.mark.parametrize("proof", [{"v": "id", "id_number": "0101990 450006"}, {"v": "sim", "sim_end": "44 55 66"}])
def test_a_number_is_added_step_by_step(member, ours, profile, typed, proof):
    assert "Cilin numër dëshironi të shtoni?" in member.get(ADD).words
    address = begin(member, typed)
    page = member.get(address)
    assert "070 100 020" in page.words
    assert "Merr kod sigurie" in page.words
    code = prove(member, address, **proof)
    page = member.get(code)
    assert page.by_id("code").get("autocomplete") == "one-time-code"
    assert page.by_id("code").get("inputmode") == "numeric"
    done = member.post(code, {"code": digits()})
    assert done.status == 303
    page = member.get(done.location)
    assert SENTENCE in page.words
    [x] = page.all("a", aria_label="Mbyll")
    assert x.get("href") == LIST
    assert Number.of_profile(profile) == [ours]
    assert "070 100 020" in member.get(LIST).words


@pytest.mark.rule("PRO-3")
def test_a_step_narrowed_by_htmx_leads_to_the_next_and_shows_its_errors_in_place(member, ours):
    refused = member.post(ADD, {"phone": "123"}, piece=True)
    assert refused.status == 422
    assert "<html" not in refused.html
    page = member.post(ADD, {"phone": "070 100 020"}, piece=True)
    assert page.status == 204
    address = page.location
    refused = member.post(address, {"v": "id", "id_number": "1"}, piece=True)
    assert refused.status == 422
    assert refused.html.strip() in member.post(address, {"v": "id", "id_number": "1"}).html
    page = member.post(address, {"v": "id", "id_number": ID}, piece=True)
    refused = member.post(page.location, {"code": wrong_digits()}, piece=True)
    assert refused.status == 422
    assert "mbeten 4 përpjekje" in refused.text_of("code-error")
    assert "<html" not in refused.html
    page = member.post(page.location, {"code": digits()}, piece=True)
    assert SENTENCE in member.follow(page).words


@pytest.mark.parametrize("typed", ["", "123", "070 100", "+355 69 123 4567", "02 3123 456", "abc", "9" * 40, "\x07"])
def test_what_is_no_mobile_number_of_the_country_is_refused_with_what_was_typed(member, typed):
    page = member.post(ADD, {"phone": typed})
    assert page.status == 422
    assert page.by_id("phone").get("aria-invalid") == "true"
    assert page.text_of("phone-error")
    assert page.form(ADD)["phone"] == " ".join(typed.replace("\x07", "").split())
    assert NumberClaim.select().count() == 0


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "Numri amë ka 13 shifra"),
        ("010199045000", "Numri amë ka 13 shifra"),
        ("01019904500066", "Numri amë ka 13 shifra"),
        ("0101990450007", "shkruar gabim"),
        ("3201990450006", "shkruar gabim"),
        ("010199045000x", "Numri amë ka 13 shifra"),
        ("٠١٠١٩٩٠٤٥٠٠٠٦", "Numri amë ka 13 shifra"),
    ],
)
def test_a_mistyped_id_number_is_told_before_anything_is_looked_up(member, ours, typed, told):
    address = begin(member)
    page = member.post(address, {"v": "id", "id_number": typed})
    assert page.status == 422
    assert told in page.text_of("id_number-error")
    assert SecurityCode.select().count() == 0


@pytest.mark.parametrize("typed", ["", "44556", "4455666", "44556x"])
def test_the_sim_has_six_digits(member, ours, typed):
    page = member.post(begin(member), {"v": "sim", "sim_end": typed, "id_number": "1"})
    assert page.status == 422
    assert "6 shifrat" in page.text_of("sim_end-error")
    assert page.text_of("id_number-error") == ""
    # What was chosen stays chosen.
    assert page.by_id("v-sim").get("checked") is not None


@pytest.mark.rule("PRO-4")
def test_a_wrong_proof_and_an_unknown_number_get_the_same_pages_word_by_word(member, besa, stranger, ours):
    """Right, wrong, unknown: three profiles, each its own; the pages differ in nothing but number and token."""
    named.profile("zana@example.com")
    stranger.log_in("zana@example.com")
    told = []
    for browser, typed, id_number in (
        (member, "070 100 020", ID),
        (besa, "070 100 020", OTHER_ID),
        (stranger, "070 100 099", ID),
    ):
        pages = []
        address = begin(browser, typed)
        code = prove(browser, address, v="id", id_number=id_number)
        pages.append(browser.get(code))
        wrong = wrong_digits()
        pages.append(browser.post(code, {"code": wrong}))
        assert [page.status for page in pages] == [200, 422]
        token = address.rpartition("/")[2]
        told.append(
            [
                re.sub(r'csrf_token" value="[^"]+"', "", page.html.split("<main")[1].split("</main>")[0])
                .replace(token, "TOKEN")
                .replace("100\xa0099", "100\xa0020")
                for page in pages
            ]
        )
    assert told[0] == told[1] == told[2]
    assert on_their_way() == 1


@pytest.mark.rule("PRO-4")
@pytest.mark.parametrize("id_number", [ID, OTHER_ID])
def test_after_three_codes_an_hour_the_next_is_refused_with_the_time(member, ours, clock, id_number):
    address = begin(member)
    for _ in range(3):
        prove(member, address, v="id", id_number=id_number)
        clock.shift(60)
    page = member.post(address, {"v": "id", "id_number": id_number})
    assert page.status == 429
    assert "Provoni përsëri në orën 13:00" in page.text_of("id_number-error")
    assert page.form(address)["id_number"] == id_number
    assert member.post(address, {"v": "id", "id_number": id_number}, piece=True).status == 422
    again = member.post(f"{address}/kodi/tjeter")
    assert again.status == 429
    assert "13:00" in again.text_of("code-error")
    # Another number of the same profile is not held up.
    prove(member, begin(member, "070 100 021"))


@pytest.mark.rule("PRO-4")
def test_five_wrong_codes_end_a_code_and_another_one_works(member, ours, clock, profile):
    code = prove(member, begin(member))
    wrong = wrong_digits()
    told = [member.post(code, {"code": wrong}).text_of("code-error") for _ in range(5)]
    assert told[3].endswith("mbetet 1 përpjekje.")
    assert "nuk vlen më" in told[4]
    page = member.post(code, {"code": digits()})
    assert (page.status, "nuk vlen më" in page.text_of("code-error")) == (422, True)
    clock.shift(60)
    assert member.post(f"{code}/tjeter").location == code
    assert member.post(code, {"code": digits()}).status == 303
    assert len(Number.of_profile(profile)) == 1


@pytest.mark.rule("PRO-4")
def test_a_code_is_over_after_five_minutes(member, ours, clock):
    code = prove(member, begin(member))
    right = digits()
    clock.shift(5 * 60)
    page = member.post(code, {"code": right})
    assert (page.status, "nuk vlen më" in page.text_of("code-error")) == (422, True)
    # It is not typed again by itself.
    assert page.form(code)["code"] == ""


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_what_is_no_code_costs_no_try(member, ours, typed):
    code = prove(member, begin(member))
    page = member.post(code, {"code": typed})
    assert page.status == 422
    assert page.text_of("code-error")
    assert SecurityCode.get().tries == 0


def test_another_code_can_be_asked_for_when_the_pause_is_over(member, ours, clock):
    code = prove(member, begin(member))
    page = member.get(code)
    waiting = page.by_id("tjeter")
    assert waiting.get("hx-get") == code
    assert waiting.get("hx-trigger") == "load delay:45s"
    assert "pas 45 sekondash" in page.words
    # Too soon, as by a double click: nothing more is sent.
    assert member.post(f"{code}/tjeter").location == code
    assert SecurityCode.select().count() == 1
    clock.shift(45)
    piece = member.get(code, piece=True)
    assert "<html" not in piece.html
    assert piece.by_id("tjeter").get("hx-get") is None
    assert piece.html.strip() in member.get(code).html
    assert member.post(f"{code}/tjeter", piece=True).location == code
    assert SecurityCode.select().count() == 2


def test_a_double_click_on_each_step_adds_the_number_once(member, ours, profile):
    address = begin(member)
    assert prove(member, address) == prove(member, address)
    assert SecurityCode.select().count() == 1
    code = {"code": digits()}
    first = member.post(f"{address}/kodi", code)
    assert member.post(f"{address}/kodi", code).location == first.location
    assert ProfileNumber.select().count() == 1


def test_steps_that_are_not_due_lead_to_the_one_that_is(member, ours):
    address = begin(member)
    for ending in ("/kodi", "/fund"):
        assert member.get(address + ending).location == address
    for ending in ("/kodi", "/kodi/tjeter"):
        assert member.post(address + ending, {"code": "123456"}).location == address
    prove(member, address)
    member.post(f"{address}/kodi", {"code": digits()})
    for ending in ("", "/kodi"):
        assert member.get(address + ending).location == f"{address}/fund"
        assert member.post(address + ending, {"code": "123456", "id_number": ID}).location == f"{address}/fund"
    assert member.post(f"{address}/kodi/tjeter").location == f"{address}/fund"
    assert SecurityCode.select().count() == 1


def test_a_number_of_the_profile_is_not_added_again(member, ours, profile):
    ours.add_to(profile, named.NOW)
    page = member.post(ADD, {"phone": "070 100 020"})
    assert page.status == 422
    assert "tashmë në profilin tuaj" in page.text_of("phone-error")


@pytest.mark.rule("PRO-1")
def test_a_profile_without_a_verified_email_is_told_why_and_how(member, ours, profile):
    Profile.update(verified_at=None).execute()
    for page in (member.get(ADD), member.post(ADD, {"phone": "070 100 020"})):
        assert "Së pari konfirmoni e-postën" in page.words
        assert profile.email in page.words
        assert "/hyr/harruar" in [link.get("href") for link in page.all("a")]
    assert NumberClaim.select().count() == 0


@pytest.mark.rule("CHK-1")
def test_after_adding_the_way_leads_back_to_where_it_came_from(member, ours):
    page = member.get(f"{ADD}?tjetra=/porosia/numri")
    assert page.form(ADD)["tjetra"] == "/porosia/numri"
    done = add(member, tjetra="/porosia/numri")
    page = member.get(done.location)
    links = [link.get("href") for link in page.by_id("shto").iter("a")]
    assert links[:2] == ["/porosia/numri", "/porosia/numri"]


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\nb",
        "/" + "x" * 300,
        "http://[",
        "porosia",
    ],
)
def test_the_way_back_is_a_path_of_the_shop_or_none(member, ours, target):
    begin(member, tjetra=target)
    assert NumberClaim.get().back == ""


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize("language", ["sq", "mk", "en"])
def test_the_sms_is_in_the_profiles_language_not_in_the_pages(member, ours, language):
    Profile.update(language=language).execute()
    prove(member, begin(member, prefix="/en"))
    assert Sms.get().language == language


# The list


@pytest.mark.rule("PRO-3")
def test_the_list_tells_of_each_number_its_tariff_kind_and_contract(member, ours, profile):
    Number.update(tariff="linja-m").where(Number.id == ours.id).execute()
    other = number("38970100021", OTHER_ID, "112233")
    Number.update(kind="prepaid", tariff="i-vjeter").where(Number.id == other.id).execute()
    for one in (ours, other):
        one.add_to(profile, named.NOW)
    Contract.create(
        number=ours,
        code="K-1",
        device="Samsung Galaxy A56",
        started_on=named.NOW.date(),
        ends_on=named.later(days=30).date(),
        price=1,
        instalments=24,
    )
    words = member.get(LIST).words
    assert "070 100 020 Me kontratë · Linja M · Demo Added" in words
    assert "Besnik 24 deri më 09.04.2026: Samsung Galaxy A56" in words
    assert "070 100 021 Pripejd · i-vjeter" in words


def test_a_profile_without_numbers_is_led_to_the_first(member):
    page = member.get(LIST)
    assert "Ende nuk keni numra" in page.words
    assert ADD in [link.get("href") for link in page.all("a")]


def test_the_list_asks_few_queries_however_many_numbers_there_are(member, profile):
    counts = []
    for index in range(6):
        number(f"3897010003{index}", f"ID-{index}", "112233").add_to(profile, named.NOW)
        if index in (0, 5):
            with assert_query_count(8) as asked:
                assert member.get(LIST).status == 200
            counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_pages_of_numbers_are_kept_by_nobody(member, ours):
    address = begin(member)
    for path in (LIST, ADD, address):
        assert member.get(path).headers["Cache-Control"] == "private, no-store"


# Removing


def removal(ours):
    return f"{LIST}/{ours.id}/heqja"


def test_removing_asks_first_and_then_takes_the_number_out(member, ours, profile):
    ours.add_to(profile, named.NOW)
    assert removal(ours) in [link.get("href") for link in member.get(LIST).all("a")]
    page = member.get(removal(ours))
    assert "Ta heqim numrin 070 100 020?" in page.words
    assert Number.of_profile(profile) == [ours]
    assert member.post(removal(ours)).location == LIST
    assert Number.of_profile(profile) == []
    # A second click finds it gone.
    assert member.post(removal(ours)).location == LIST


def test_removing_takes_its_device_out_of_the_cart_and_says_so_before(member, world, ours, profile):
    ours.add_to(profile, named.NOW)
    member.choose(world["CASE-BLACK"])
    assert "shportë për këtë numër" not in member.get(removal(ours)).words
    CartLine.create(
        cart=Cart.get(Cart.profile == profile),
        variant=world["S25-BLACK-128"],
        choice=f"besnik24:{MSISDN}",
        contract_type="besnik24",
        number=ours,
        price_seen=1,
        added_at=named.NOW,
    )
    assert "shportë për këtë numër" in member.get(removal(ours)).words
    member.post(removal(ours))
    assert [line.contract_type for line in CartLine.select()] == ["device_only"]


# Whose


def routes(app):
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("numbers.")]
    assert len(found) >= 7
    return found


def test_a_guest_is_led_to_the_login_and_back_and_changes_nothing(app, stranger, ours, profile):
    ours.add_to(profile, named.NOW)
    claim = NumberClaim.begin(profile, UNKNOWN, named.NOW)
    for rule in routes(app):
        path = rule.rule.replace("<token>", claim.token).replace("<int:number_id>", str(ours.id))
        if "GET" in rule.methods:
            assert stranger.get(path).location == f"/hyr?next={path}", path
        if "POST" in rule.methods:
            assert stranger.post(path, {"phone": "070 100 020", "id_number": ID}).location == "/hyr", path
    assert Number.of_profile(profile) == [ours]
    assert SecurityCode.select().count() == 0


def test_nobody_sees_or_changes_the_numbers_and_claims_of_another_profile(app, member, besa, ours, profile):
    ours.add_to(profile, named.NOW)
    other = number(UNKNOWN, OTHER_ID, "112233")
    claim = NumberClaim.begin(profile, UNKNOWN, named.NOW)
    claim.prove(named.NOW, id_number=OTHER_ID)
    right = digits()
    for rule in routes(app):
        if not rule.arguments:
            continue
        path = rule.rule.replace("<token>", claim.token).replace("<int:number_id>", str(ours.id))
        if "GET" in rule.methods:
            assert besa.get(path).status == 404, path
            assert besa.get(path, piece=True).status == 404, path
        if "POST" in rule.methods:
            page = besa.post(path, {"code": right, "v": "id", "id_number": OTHER_ID})
            # A number that is not in the profile is gone, whosever it is.
            assert page.status == 404 or (page.status, page.location) == (303, LIST), path
    assert Number.of_profile(profile) == [ours]
    assert ProfileNumber.select().where(ProfileNumber.number == other).count() == 0
    assert SecurityCode.select().count() == 1
    assert SecurityCode.get().tries == 0
    assert MSISDN not in besa.get(LIST).html
    # And its owner still can.
    assert member.post(f"{ADD}/{claim.token}/kodi", {"code": right}).status == 303


@pytest.mark.rule("PRV-1")
def test_no_address_of_a_step_carries_a_number_or_a_proof(member, ours):
    address = begin(member)
    code = prove(member, address)
    done = member.post(code, {"code": digits()}).location
    for path in (address, code, done):
        assert not re.search(r"70100020|0101990450006|445566", path)


@LANGUAGES
def test_every_step_in_every_language_is_good_markup_as_page_and_as_piece(member, ours, profile, language, prefix):
    for path in (prefix + LIST, prefix + ADD):
        check(member.get(path), language)
    check(member.post(prefix + ADD, {"phone": "1"}), language, 422)
    check(member.post(prefix + ADD, {"phone": "1"}, piece=True), None, 422)
    address = begin(member, prefix=prefix)
    assert address.startswith(prefix + ADD)
    check(member.get(address), language)
    for piece in (False, True):
        for v in ("id", "sim"):
            check(member.post(address, {"v": v}, piece=piece), None if piece else language, 422)
    code = prove(member, address)
    check(member.get(code), language)
    check(member.get(code, piece=True), None)
    check(member.post(code, {"code": wrong_digits()}), language, 422)
    check(member.post(code, {"code": wrong_digits()}, piece=True), None, 422)
    done = check(member.get(member.post(code, {"code": digits()}).location), language)
    assert (SENTENCE in done.words) == (language == "sq")
    assert MSISDN in done.words
    check(member.get(prefix + LIST), language)
    check(member.get(prefix + removal(ours)), language)
    Profile.update(verified_at=None).execute()
    check(member.get(prefix + ADD), language)


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", ["mk", "en"])
def test_no_step_says_anything_in_albanian(member, ours, profile, clock, code):
    prefix, albanian, said = f"/{code}", Albanian(code), []

    def look(page):
        said.extend((page.status, text) for text in Said(page, code).texts if albanian.is_in(text))

    look(member.get(prefix + LIST))
    look(member.get(prefix + ADD))
    for typed in ("", "123", "+355691234567"):
        look(member.post(prefix + ADD, {"phone": typed}))
    address = begin(member, prefix=prefix)
    look(member.get(address))
    for typed in ({"v": "id"}, {"v": "id", "id_number": "0101990450007"}, {"v": "sim"}):
        look(member.post(address, typed))
    step = prove(member, address)
    look(member.get(step))
    wrong = wrong_digits()
    for typed in ("", "1", *[wrong] * 6):
        look(member.post(step, {"code": typed}))
    for _ in range(3):
        clock.shift(60)
        look(member.get(step))
        sent = member.post(f"{step}/tjeter")
    look(sent)
    assert sent.status == 429
    look(member.get(member.post(step, {"code": digits()}).location))
    look(member.post(prefix + ADD, {"phone": "070 100 020"}))
    look(member.get(prefix + LIST))
    CartLine.create(
        cart=Cart.begin(named.NOW).join(profile, named.NOW),
        variant=CartLine.variant.rel_model.get(),
        choice=f"besnik24:{MSISDN}",
        contract_type="besnik24",
        number=ours,
        price_seen=1,
        added_at=named.NOW,
    )
    look(member.get(prefix + removal(ours)))
    Profile.update(verified_at=None).execute()
    look(member.get(prefix + ADD))
    assert said == []


def test_sims_and_ids_are_sent_by_post_only_and_never_come_back_after_success(member, ours):
    address = begin(member)
    code = prove(member, address, v="sim", sim_end=SIM)
    assert SIM not in member.get(code).html
    assert SIM not in member.get(address).html
