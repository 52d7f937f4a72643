"""`flask club news`: an offer told to who agreed (PRV-2)."""

import pytest

from models.base import utcnow
from models.consent import Consent
from models.outbox import Mail
from models.sms import Sms
from tests.club import joined, offer
from tests.world import NOW


@pytest.fixture
def news(app):
    return lambda *words: app.test_cli_runner().invoke(args=["club", "news", *words])


@pytest.mark.rule("PRV-2")
def test_who_agreed_is_written_to_once(news):
    arben = joined().profile
    offer("KINEMA")
    assert news("KINEMA").exit_code == 0
    assert Mail.select().count() == Sms.select().count() == 0
    for kind in ("club_email", "club_sms"):
        Consent.say(arben, kind, True, NOW, wording="Po", channel="web")
    for _ in range(2):
        said = news("kinema")
        assert said.exit_code == 0
        assert "profiles with consent: 1." in said.output
    assert (Mail.select().count(), Sms.select().count()) == (1, 1)
    assert Mail.get().written_at <= utcnow()


@pytest.mark.rule("PRV-2")
def test_an_offer_that_there_is_not_today_is_told_of_to_nobody(news):
    said = news("NONE")
    assert said.exit_code == 1
    assert "No offer has the code 'NONE' today." in said.output
