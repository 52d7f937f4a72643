"""Kill -9 of web server or worker at each point of an order that points pay in part: none is lost, none doubled."""

from typing import ClassVar

import pytest

from tests.processes import Page
from tests.test_kill import PRICE, Case, lost, restarted_with, running, shop
from tests.world import PASSWORD

POINTS, HAVE = 600, 1000
WORTH = 30_000

__all__ = ["running", "shop"]


class WithPoints(Case):
    """A device of a member, paid by card and with points."""

    money = ((PRICE - WORTH, 0),)
    payment: ClassVar = {"payment_way": "card", "pike": str(POINTS)}
    members = 0

    def __init__(self, shop):
        super().__init__(shop)
        WithPoints.members += 1
        _, self.email = shop.crowd.alone("club_member", str(38970100500 + self.members), HAVE)
        self.browser.get("/hyr").send("/hyr", email=self.email, password=PASSWORD)

    def points(self):
        """What the member has, and where its orders' points are; the whole ledger adds up."""
        balance, states, differences = self.shop.crowd.alone("points_of_email", self.email)
        assert differences == []
        return balance, states

    def check_nothing_happened(self):
        super().check_nothing_happened()
        assert self.points() == (HAVE, [])

    def check_paid_once(self, **more):
        super().check_paid_once(**more)
        assert self.points() == (HAVE - POINTS, ["taken"])


@pytest.mark.rule("PAY-4", "CHK-4")
@pytest.mark.parametrize("point", ["club: entered", "place: points held", "place: written"])
def test_web_killed_in_the_middle_of_placing_holds_no_points_and_the_same_form_works_again(shop, point):
    restarted_with(shop, "web", point)
    case = WithPoints(shop)
    page = case.overview()
    lost(lambda: page.send("pasqyra", terms="y"))
    case.check_nothing_happened()
    shop.kill("web")
    shop.start("web")
    page = case.place(page)
    assert case.points() == (HAVE - POINTS, ["held"])
    case.browser.come_back(case.browser.pay(page, "approve"))
    case.check_paid_once()


@pytest.mark.rule("PAY-4", "PAY-7")
def test_web_killed_in_the_middle_of_the_return_leaves_the_points_held_and_takes_them_once(shop):
    case = WithPoints(shop)
    page = case.pay_page()
    shop.kill("worker")
    restarted_with(shop, "web", "settle: written")
    result = case.browser.pay(page, "approve")
    lost(lambda: case.browser.come_back(result))
    assert case.points() == (HAVE - POINTS, ["held"])
    shop.kill("web")
    shop.start("web", "worker")
    case.browser.come_back(result)
    case.check_paid_once()


@pytest.mark.rule("PAY-8", "PAY-9")
def test_worker_killed_in_the_middle_of_a_lapse_gives_the_points_back_once(shop):
    shop.kill("worker")
    case = WithPoints(shop)
    case.number = shop.crowd.alone("overdue_with_points", case.email, POINTS)
    shop.start("worker", crash_at="lapse: written")
    shop.fell("worker")
    assert shop.order(case.number)["state"] == "awaiting_payment"
    assert case.points() == (HAVE - POINTS, ["held"])
    shop.start("worker")
    case.settled("lapsed")
    case.mailed()
    assert case.points() == (HAVE, ["returned"])
    facts = shop.facts()
    assert facts["stock"]["S25-BLACK-128"] == case.stock
    assert "600 pikë u kthyen në Klubin Im." in " ".join(
        mail["text"] for mail in shop.running["mail"].mails() if case.number in mail["text"]
    )
    case.over([], mails=1)


@pytest.mark.rule("PAY-4")
def test_web_killed_while_points_are_chosen_keeps_what_was_chosen_before(shop):
    case = WithPoints(shop)
    case.overview()
    shop.kill("web")
    shop.start("web")
    page = case.browser.get("/porosia/pagesa")
    [form] = page.forms("/porosia/pagesa")
    assert Page._filled(form)["pike"] == str(POINTS)
    case.check_nothing_happened()
