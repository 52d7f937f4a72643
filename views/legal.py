"""The operator's terms and the beginning of the privacy page, from the brand's folder (PRV-1)."""

from functools import lru_cache

from markupsafe import Markup

import config
import language
from face import PRIVACY, TERMS
from face.legal import Section, read


@lru_cache(maxsize=16)
def sections(name: str, code: str) -> tuple[Section, ...]:
    """The sections of one text in one language; none where the folder has no such file."""
    path = config.FACE.file(f"{name}.{code}.md")
    if path is None:
        return ()
    company = config.FACE.company
    found = read(
        path,
        language.prefix_of(code),
        name=config.BRAND,
        phone=config.CONTACT_PHONE,
        email=config.CONTACT_EMAIL,
        company=company.name or config.BRAND,
        address=company.address.get(code, ""),
        details=company.details.get(code, ""),
        payable_minutes=config.PAYABLE_MINUTES,
        delivery_days=config.DELIVERY_DAYS,
        withdrawal_days=config.WITHDRAWAL_DAYS,
        claim_days=config.CLAIM_DAYS,
    )
    # Markdown without HTML makes what is safe.
    return tuple(Section(one.title, Markup(one.html), one.id) for one in found)  # noqa: S704


def read_all() -> None:
    """Read each text in each language, so that a bad one is refused before anybody asks for it; raises BadFace."""
    for code in config.LANGUAGES:
        for name in (TERMS, PRIVACY):
            sections(name, code)


def terms() -> tuple[Section, ...]:
    return sections(TERMS, language.current())


def privacy() -> tuple[Section, ...]:
    return sections(PRIVACY, language.current())
