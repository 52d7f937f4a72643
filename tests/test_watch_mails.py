"""What a wish's mails say, and that each can be stopped (PRV-2, MSG-1, MSG-3)."""

import re
from email import policy
from email.parser import BytesParser

import pytest

import config
import mails
from models.outbox import WATCH_KINDS, Mail
from models.watch import Watch
from tests.test_mails import Seen, html_of, text_of
from tests.test_translations import Albanian
from tests.world import NOW, build

PREFIX = {"sq": "", "mk": "/mk", "en": "/en"}


def mail_of(kind: str, language: str = "sq"):
    """The mail as the shop comes to write it, and its world."""
    world = build()
    Watch.tell_all_due(NOW)
    price = kind == "watch_price"
    sku = "S25-BLACK-128" if price else "IP16-BLACK-256"
    Watch.ask("ana@example.com", world[sku], "price" if price else "stock", language=language, address="", now=NOW)
    if kind != "watch_confirm":
        watch = Watch.get()
        watch.confirm(NOW)
        Watch.update(price=5_300_000).where(Watch.kind == "price").execute()
        world.set_stock(sku, 2)
        Watch.tell_all_due(NOW)
    return Mail.get(Mail.kind == kind), world


def written(mail):
    return BytesParser(policy=policy.default).parsebytes(mails.compose(mail).as_bytes(policy=policy.SMTP))


@pytest.mark.rule("PRV-2", "MSG-1", "MSG-3")
@pytest.mark.parametrize("language", PREFIX)
@pytest.mark.parametrize("kind", WATCH_KINDS)
def test_each_has_its_parts_and_a_link_that_stops_with_one_click(kind, language):
    mail, _ = mail_of(kind, language)
    message = written(mail)
    root = config.BASE_URL + PREFIX[language]
    stop = re.fullmatch(r"<(.+)>", message["List-Unsubscribe"])[1]
    assert stop.startswith(f"{root}/njoftime/ndal/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (message["To"], message["Content-Language"]) == ("ana@example.com", language)
    text, html = text_of(message), html_of(message)
    assert "{" not in text
    assert "<" not in text
    for part in (text, html):
        assert stop in part
    seen = Seen(html)
    assert not {"script", "link", "iframe", "object", "form"} & set(seen.tags)
    assert all(image.startswith("cid:") for image in seen.images)
    assert all(link.startswith((config.BASE_URL, "mailto:")) for link in seen.links)
    if language != "sq":
        albanian = Albanian(language)
        # Names of colours are the operator's own.
        said = [line.strip() for line in text.splitlines() if line.strip()]
        assert [line for line in said if albanian.is_in(line)] == []


@pytest.mark.rule("PRV-2")
def test_good_news_says_that_nothing_is_kept_and_whether_it_is_gone_again():
    mail, world = mail_of("watch_back")
    text = text_of(written(mail))
    assert "vlen sa të ketë në gjendje" in text
    assert "10.03.2026" in text
    assert "71.990 den" in text
    assert f"{config.BASE_URL}/pajisja/iphone-16?ngjyra=1f2023&memoria=256" in text
    assert "Ndërkohë u shit" not in text
    world.set_stock("IP16-BLACK-256", 0)
    for part in (text_of(written(mail)), html_of(written(mail))):
        assert "Ndërkohë u shit përsëri" in part


def test_a_lower_price_stands_beside_the_one_before():
    mail, _ = mail_of("watch_price")
    message = written(mail)
    assert message["Subject"] == "Samsung Galaxy S25 tani kushton 52.800 den"
    facts = "Samsung Galaxy S25, E zezë, 128 GB\nVetëm pajisje: 52.800 den\nKur e kërkuat: 53.000 den"
    assert facts in text_of(message)


def test_a_mail_whose_watch_is_gone_does_not_leave():
    mail, _ = mail_of("watch_back")
    assert not mail.is_too_late(NOW)
    Watch.delete().execute()
    assert mail.is_too_late(NOW)
