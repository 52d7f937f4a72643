"""What the shop writes about a profile (PRO-1, PRO-2, MSG-1, MSG-3)."""

import re
from email import policy
from email.parser import BytesParser
from html import unescape

import pytest

import config
import mails
from gateways import GatewayError
from models.erasure import Erasure
from models.outbox import PROFILE_KINDS, Mail
from models.profile_link import ProfileLink
from models.registration import Registration
from tests import world as named
from tests.test_mails import Seen, html_of, text_of
from tests.test_translations import Albanian
from tests.world import NOW, later

WITH_LINK = {
    "confirm_registration": "/profili/konfirmimi/",
    "password_reset": "/hyr/fjalekalimi/",
    "confirm_email": "/profili/e-posta/konfirmimi/",
}
# Of an erasure: read by its own row, which is not swept within days.
WITH_LINK_TO_ERASE = {"erase_profile": "/profili/privatesia/fshirja/"}


def mail_of(kind: str, language: str = "sq") -> Mail:
    """The mail as the shop comes to write it."""
    arben = named.profile()
    arben.language = language
    arben.save()
    typed = {"password": "një fjali e shkurtër", "last_name": "M", "language": language, "address": "", "now": NOW}
    if kind == "confirm_registration":
        Registration.begin(email="ana@example.com", first_name="https://evil.example", **typed)
    elif kind == "already_registered":
        Registration.begin(email=arben.email, first_name="https://evil.example", **typed)
    elif kind == "password_reset":
        ProfileLink.ask_password(arben.email, "", NOW)
    elif kind == "password_changed":
        arben.change_password("një fjali e re", NOW)
    elif kind in ("erase_profile", "erasure_confirmed", "profile_erased"):
        erasure = Erasure.ask(arben, "", NOW)
        if kind != "erase_profile":
            erasure.confirm(NOW)
        if kind == "profile_erased":
            Erasure.carry_out_all_due(later(60 * 24 * 60))
    else:
        link = ProfileLink.ask_email(arben, "re@example.com", "", NOW)
        if kind == "email_changed":
            link.confirm_email(NOW)
    return Mail.get(Mail.kind == kind)


def written(mail: Mail):
    message = mails.compose(mail)
    return BytesParser(policy=policy.default).parsebytes(message.as_bytes(policy=policy.SMTP))


@pytest.mark.rule("MSG-1")
@pytest.mark.parametrize("kind", PROFILE_KINDS)
def test_every_mail_has_its_headers_a_text_and_an_html_part(kind):
    mail = mail_of(kind)
    message = written(mail)
    assert message["To"] == mail.recipient
    assert message["Message-ID"] == mail.message_id
    assert message["Content-Language"] == "sq"
    assert message["Subject"]
    text, html = text_of(message), html_of(message)
    assert config.CONTACT_PHONE in text
    assert "{" not in text
    assert "<" not in text
    assert "numrin e porosisë" not in text + html
    seen = Seen(html)
    assert not {"script", "link", "iframe", "object", "form"} & set(seen.tags)
    assert all(image.startswith("cid:") for image in seen.images)
    assert all(link.startswith((config.BASE_URL, "mailto:")) for link in seen.links)


@pytest.mark.rule("MSG-3")
@pytest.mark.parametrize(("language", "prefix"), [("sq", ""), ("mk", "/mk"), ("en", "/en")])
@pytest.mark.parametrize("kind", [*WITH_LINK, *WITH_LINK_TO_ERASE])
def test_a_link_leads_to_the_shop_in_the_language_of_its_reader(kind, language, prefix):
    message = written(mail_of(kind, language))
    root = f"{config.BASE_URL}{prefix}{(WITH_LINK | WITH_LINK_TO_ERASE)[kind]}"
    in_text = re.search(rf"{re.escape(root)}\S+", text_of(message))[0]
    assert in_text in Seen(html_of(message)).links
    assert message["Content-Language"] == language


@pytest.mark.rule("LOC-1")
@pytest.mark.parametrize("code", ["mk", "en"])
@pytest.mark.parametrize("kind", PROFILE_KINDS)
def test_no_mail_says_anything_in_albanian(kind, code):
    message = written(mail_of(kind, code))
    lines = [message["Subject"], *(re.split(r": |\n|\. ", text_of(message))), *text_of(message).splitlines()]
    lines += [" ".join(unescape(part).split()) for part in re.split(r"<[^>]*>", html_of(message))]
    albanian = Albanian(code)
    assert [line for line in lines if albanian.is_in(line.strip())] == []


@pytest.mark.rule("PRV-1")
@pytest.mark.parametrize("kind", PROFILE_KINDS)
def test_who_causes_a_mail_to_somebody_else_writes_no_word_of_it(kind):
    message = written(mail_of(kind))
    assert "evil" not in message.as_string()
    assert "Arben" not in text_of(message)


@pytest.mark.parametrize("kind", WITH_LINK)
def test_a_mail_whose_link_is_over_and_gone_is_set_aside(kind):
    mail = mail_of(kind)
    ProfileLink.forget_old(later(60 * 48))
    Registration.forget_old(later(60 * 48))
    with pytest.raises(GatewayError) as refused:
        mails.compose(mail)
    assert refused.value.permanent


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize("kind", WITH_LINK)
def test_what_the_outbox_keeps_opens_nothing(kind):
    """Whoever reads the tables alone has no link: it is signed when the mail is composed."""
    mail = mail_of(kind)
    token = re.search(rf"{WITH_LINK[kind]}(\S+)", text_of(written(mail)))[1]
    assert token not in str(mail.__data__)
    assert list(mail.data) == ["link"]
