"""`flask sms`: what an operator does about an SMS whose fate is not known (MSG-1)."""

import pytest

from models.security_code import SecurityCode
from models.sms import Sms
from tests.world import NOW, profile

pytestmark = pytest.mark.rule("MSG-1")


@pytest.fixture
def run(app):
    return lambda *words: app.test_cli_runner().invoke(args=["sms", *words])


@pytest.fixture
def sms():
    code = SecurityCode.send(profile(), "38970100020", NOW, genuine=True)
    return Sms.get(Sms.code == code)


@pytest.mark.parametrize("state", ["handed", "failed"])
def test_an_sms_whose_fate_is_not_known_is_listed_and_sent_again_on_demand(run, sms, state):
    Sms.update(state=state, tries=3).execute()
    assert f"{sms.id}  security_code" in run("list", "--state", state).output
    assert "38970100020" not in run("list", "--state", state).output
    assert run("resend", str(sms.id)).exit_code == 0
    row = Sms.get_by_id(sms.id)
    assert (row.state, row.tries) == ("due", 0)


@pytest.mark.parametrize("state", ["sent", "withheld", "due"])
def test_what_was_sent_or_withheld_is_not_sent_again(run, sms, state):
    Sms.update(state=state).execute()
    told = run("resend", str(sms.id))
    assert told.exit_code == 1
    assert "no SMS" in told.output
    assert Sms.get_by_id(sms.id).state == state
