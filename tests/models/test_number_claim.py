"""Adding a number to a profile (PRO-3, PRO-4, PRO-5)."""

from datetime import timedelta

import pytest

import config
from models.cart import Cart, CartLine
from models.club_member import ClubMember
from models.number import Number, ProfileNumber
from models.number_claim import KEPT, AlreadyAdded, NotVerified, NumberClaim, TooSoon
from models.profile import Profile
from models.security_code import CodeOver, SecurityCode, TooManyCodes, WrongCode
from models.sms import Sms
from models.subscriber import Holder, Subscriber
from tests.club import joined_fixed
from tests.crowd import Crowd
from tests.databases import own_database
from tests.query_count import assert_query_count
from tests.world import NOW, build, later, own_number, profile

MSISDN, ID, SIM = "38970100020", "0101990450006", "445566"
OTHER_ID, UNKNOWN = "0101990454818", "38970100099"


def number(msisdn=MSISDN, id_number=ID, sim_end=SIM, segment="private"):
    holder = Holder.create(id_number=id_number, segment=segment, first_name="Demo", last_name="Added")
    subscriber = Subscriber.create(holder=holder, code=f"S-{msisdn}", since=NOW.date())
    return Number.create(msisdn=msisdn, subscriber=subscriber, sim_end=sim_end, kind="postpaid")


@pytest.fixture
def owner():
    return profile()


@pytest.fixture
def ours():
    return number()


def claim_of(owner, msisdn=MSISDN, now=NOW):
    return NumberClaim.begin(owner, msisdn, now)


def again(claim):
    """As the next request reads it."""
    return NumberClaim.of_profile(Profile.get_by_id(claim.profile_id), claim.token)


def proved(owner, now=NOW, msisdn=MSISDN, **proof):
    claim = claim_of(owner, msisdn, now)
    claim.prove(now, **(proof or {"id_number": ID}))
    return again(claim)


def on_their_way():
    return Sms.select().where(Sms.state == "due").count()


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize("proof", [{"id_number": ID}, {"sim_end": SIM}])
def test_a_number_is_added_by_id_or_sim_and_the_code(owner, ours, proof):
    claim = proved(owner, **proof)
    assert Number.of_profile(owner) == []
    assert on_their_way() == 1
    claim.confirm(claim.code.digits, later(1))
    assert Number.of_profile(owner) == [ours]
    assert again(claim).added_at == later(1)


@pytest.mark.rule("PRO-3")
def test_a_company_proves_its_number_by_its_tax_number(owner):
    number(id_number="4030999999906", segment="business")
    claim = proved(owner, id_number="4030999999906")
    claim.confirm(claim.code.digits, NOW)
    assert len(Number.of_profile(owner)) == 1


@pytest.mark.rule("PRO-4")
@pytest.mark.parametrize(
    ("msisdn", "proof"),
    [
        (MSISDN, {"id_number": OTHER_ID}),
        (MSISDN, {"sim_end": "445567"}),
        # One is not taken for the other.
        (MSISDN, {"id_number": SIM}),
        (MSISDN, {"sim_end": ID}),
        (UNKNOWN, {"id_number": ID}),
        (UNKNOWN, {"sim_end": SIM}),
    ],
)
def test_a_wrong_proof_and_an_unknown_number_go_on_as_a_right_one_and_send_nothing(owner, ours, msisdn, proof):
    claim = proved(owner, msisdn=msisdn, **proof)
    assert claim.code is not None
    assert on_their_way() == 0
    for left in (4, 3):
        with pytest.raises(WrongCode) as caught:
            claim.confirm(claim.code.digits, NOW)
        assert caught.value.left == left
    assert ProfileNumber.select().count() == 0


@pytest.mark.rule("PRO-4")
def test_a_number_that_was_given_up_is_an_unknown_one(owner, ours):
    Number.update(active=False).execute()
    proved(owner)
    assert on_their_way() == 0


@pytest.mark.rule("PRO-4")
@pytest.mark.parametrize(
    ("msisdn", "proof"), [(MSISDN, {"id_number": OTHER_ID}), (UNKNOWN, {"id_number": ID})], ids=["wrong", "unknown"]
)
def test_a_wrong_proof_asks_the_database_as_much_as_a_right_one(owner, ours, msisdn, proof):
    right, other = claim_of(owner), claim_of(profile("besa@example.com"), msisdn)
    with assert_query_count(20) as asked:
        right.prove(NOW, id_number=ID)
    with assert_query_count(20) as for_wrong:
        other.prove(NOW, **proof)
    assert asked == for_wrong


@pytest.mark.rule("PRO-1")
def test_a_profile_whose_email_is_not_verified_adds_no_number(owner, ours):
    owner.verified_at = None
    with pytest.raises(NotVerified):
        claim_of(owner)


def test_a_number_of_the_profile_is_not_added_again(owner, ours):
    ours.add_to(owner, NOW)
    with pytest.raises(AlreadyAdded):
        claim_of(owner)


def test_a_number_may_be_in_several_profiles_each_of_which_proved_it(owner, ours):
    besa = profile("besa@example.com")
    ours.add_to(besa, NOW)
    claim = proved(owner)
    claim.confirm(claim.code.digits, NOW)
    assert Number.of_profile(owner) == Number.of_profile(besa) == [ours]


@pytest.mark.rule("PRO-4")
def test_ids_and_sims_are_not_kept(owner, ours):
    claim = proved(owner)
    assert ID not in claim.proof
    # Nor can two claims be compared.
    assert claim.proof != proved(owner, later(1)).proof


def test_the_same_proof_sent_twice_by_a_double_click_sends_one_code(owner, ours):
    claim = proved(owner)
    claim.prove(later(seconds=2), id_number=ID)
    assert SecurityCode.select().count() == 1


def test_another_proof_sends_another_code_at_once(owner, ours):
    claim = proved(owner, id_number=OTHER_ID)
    claim.prove(later(seconds=2), id_number=ID)
    assert SecurityCode.select().count() == 2
    assert on_their_way() == 1
    claim = again(claim)
    claim.confirm(claim.code.digits, later(1))


def test_the_same_proof_after_the_pause_sends_another_code(owner, ours):
    claim = proved(owner)
    claim.prove(later(seconds=config.CODE_PAUSE), id_number=ID)
    assert SecurityCode.select().count() == 2


@pytest.mark.rule("PRO-4")
def test_a_code_that_was_mistyped_too_often_is_followed_by_another_on_the_same_proof(owner, ours):
    claim = proved(owner)
    wrong = f"{(int(claim.code.digits) + 1) % 10**6:06}"
    for _ in range(config.CODE_TRIES):
        with pytest.raises(WrongCode):
            claim.confirm(wrong, NOW)
    with pytest.raises(CodeOver):
        claim.confirm(claim.code.digits, NOW)
    claim.prove(later(seconds=5), id_number=ID)
    claim = again(claim)
    claim.confirm(claim.code.digits, later(1))


@pytest.mark.rule("PRO-4")
def test_another_code_can_be_asked_for_after_a_pause_and_ends_the_first(owner, ours):
    claim = proved(owner)
    with pytest.raises(TooSoon) as caught:
        claim.send_again(later(seconds=config.CODE_PAUSE - 1))
    assert caught.value.until == later(seconds=config.CODE_PAUSE)
    first = claim.code.digits
    claim.send_again(later(1))
    claim = again(claim)
    if first != claim.code.digits:
        with pytest.raises(WrongCode):
            claim.confirm(first, later(1))
    claim.confirm(claim.code.digits, later(1))


@pytest.mark.rule("PRO-4")
def test_another_code_on_a_wrong_proof_sends_nothing_either(owner, ours):
    claim = proved(owner, id_number=OTHER_ID)
    claim.send_again(later(1))
    assert on_their_way() == 0
    claim.send_again(later(2))
    with pytest.raises(TooManyCodes):
        claim.send_again(later(3))


def test_before_a_proof_there_is_no_code_to_ask_for_or_to_type(owner, ours):
    claim = claim_of(owner)
    for step in (lambda: claim.send_again(NOW), lambda: claim.confirm("123456", NOW)):
        with pytest.raises(CodeOver):
            step()


def test_confirming_twice_adds_it_once(owner, ours):
    claim = proved(owner)
    other_tab = again(claim)
    claim.confirm(claim.code.digits, NOW)
    again(claim).confirm("000000", NOW)
    with pytest.raises(CodeOver):
        other_tab.confirm(claim.code.digits, NOW)
    assert ProfileNumber.select().count() == 1


def test_a_number_that_changed_hands_between_proof_and_code_is_not_added(owner, ours):
    claim = proved(owner)
    holder = Holder.create(id_number=OTHER_ID, segment="private")
    Subscriber.update(holder=holder).execute()
    with pytest.raises(CodeOver):
        claim.confirm(claim.code.digits, NOW)
    assert ProfileNumber.select().count() == 0


def test_a_claim_is_its_profiles_alone(owner, ours):
    claim = claim_of(owner)
    assert NumberClaim.of_profile(owner, claim.token) == claim
    assert NumberClaim.of_profile(profile("besa@example.com"), claim.token) is None


@pytest.mark.rule("PRV-3")
def test_claims_are_forgotten_after_a_day(owner, ours):
    proved(owner)
    assert NumberClaim.forget_old(later(days=1)) == 0
    assert NumberClaim.forget_old(later(days=1, seconds=1)) == 1


def test_a_profile_keeps_so_many_claims_and_never_those_of_others(owner, ours):
    kept = claim_of(profile("besa@example.com"))
    claims = [claim_of(owner) for _ in range(KEPT + 3)]
    assert [claim.id for claim in NumberClaim.select().order_by(NumberClaim.id)] == [
        kept.id,
        *(claim.id for claim in claims[3:]),
    ]


@pytest.mark.rule("PRO-5")
def test_an_added_number_is_found_with_its_holder_in_one_query(owner, ours):
    claim = proved(owner)
    claim.confirm(claim.code.digits, NOW)
    with assert_query_count(1):
        [added] = Number.of_profile(owner)
        assert (added.holder.id_number, added.holder.is_private) == (ID, True)


# Removing


def test_a_removed_number_is_gone_from_this_profile_alone(owner, ours):
    besa = profile("besa@example.com")
    ours.add_to(owner, NOW)
    ours.add_to(besa, NOW)
    assert ours.remove_from(owner)
    assert not ours.remove_from(owner)
    assert Number.of_profile(owner) == []
    assert Number.of_profile(besa) == [ours]
    assert Number.of_profile_by(owner, id=ours.id) is None
    assert Number.of_profile_by(besa, msisdn=MSISDN) == ours


def test_a_removed_number_takes_its_devices_out_of_this_profiles_cart(owner, ours):
    world = build()
    ours.add_to(owner, NOW)
    carts = [Cart.begin(NOW), Cart.begin(NOW)]
    carts[0] = carts[0].join(owner, NOW)
    for cart in carts:
        cart.add(world["CASE-BLACK"], NOW)
        CartLine.create(
            cart=cart,
            variant=world["S25-BLACK-128"],
            choice=f"besnik24:{MSISDN}",
            contract_type="besnik24",
            number=ours,
            price_seen=1,
            added_at=NOW,
        )
    ours.remove_from(owner)
    left = [sorted(line.contract_type for line in CartLine.select().where(CartLine.cart == cart)) for cart in carts]
    assert left == [["device_only"], ["besnik24", "device_only"]]


# At the same moment


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claims")
    with own_database(folder) as url:
        crowd = Crowd(url, folder)
        yield crowd
        crowd.end()


@pytest.fixture
def crowd(running):
    running.alone("clear")
    running.alone("code_profiles", 1)
    running.alone("a_number")
    return running


def test_a_proof_sent_eight_times_at_once_sends_one_code(crowd):
    token = crowd.alone("begin_claim")
    results = crowd.at_once([("prove_claim", token)] * 8)
    assert all("is" in result for result in results), results
    assert crowd.alone("sms_states") == {"due": 1}


def test_a_right_code_typed_in_eight_tabs_at_once_adds_the_number_once(crowd):
    token, digits = crowd.alone("claim_number", 0)
    results = crowd.at_once([("confirm_claim", token, digits)] * 8)
    assert sum("is" in result for result in results) >= 1
    assert {result["error"] for result in results if "error" in result} <= {"CodeOver"}
    assert crowd.alone("added_numbers") == 1


def test_many_wrong_and_right_codes_at_once_never_exceed_the_tries(crowd):
    token, digits = crowd.alone("claim_number", 0)
    wrong = f"{(int(digits) + 1) % 10**6:06}"
    results = crowd.at_once([("confirm_claim", token, wrong)] * 10)
    told = [result["error"] for result in results]
    assert told.count("WrongCode") == config.CODE_TRIES
    assert [result["error"] for result in crowd.at_once([("confirm_claim", token, digits)])] == ["CodeOver"]


def test_the_pause_is_shorter_than_a_code_lives():
    assert timedelta(seconds=config.CODE_PAUSE) < timedelta(minutes=config.CODE_MINUTES)


# What was taken into the club at the desk


def mailed():
    return [member.profile_id for member in ClubMember.select().order_by(ClubMember.id)]


@pytest.mark.rule("CLB-1", "PRO-3")
def test_mails_of_the_club_begin_when_a_number_is_added_and_end_when_it_is_removed(owner, ours):
    besa = profile("besa@example.com")
    ClubMember.join_number(Number.of_msisdn(ours.msisdn), NOW, language="sq")
    joined_fixed(ours.subscriber)
    assert mailed() == [None, None]
    ours.add_to(owner, NOW)
    assert mailed() == [owner.id, owner.id]
    # Who comes second takes nothing from the first.
    ours.add_to(besa, NOW)
    ours.remove_from(besa)
    assert mailed() == [owner.id, owner.id]
    second = Number.create(msisdn="38970100008", subscriber=ours.subscriber, sim_end="112233", kind="prepaid")
    second.add_to(owner, NOW)
    assert ours.remove_from(owner)
    assert mailed() == [None, owner.id]
    assert not ours.remove_from(owner)
    second.remove_from(owner)
    assert mailed() == [None, None]


@pytest.mark.rule("CLB-1")
def test_mails_of_a_membership_that_ended_or_of_another_code_do_not_begin(owner, ours):
    other = own_number(profile("besa@example.com"), "38970100009")
    ClubMember.join_number(Number.of_msisdn(ours.msisdn), NOW, language="sq")
    ClubMember.update(ended_at=NOW).execute()
    joined_fixed(other.subscriber)
    ours.add_to(owner, NOW)
    assert mailed() == [None, None]
