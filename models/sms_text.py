"""What an SMS says, in its reader's language (MSG-3).

A text with ë, ç or Cyrillic has 70 characters an SMS: each of these fits into one.
"""

import structlog
from peewee import PeeweeException

import config
import language as languages
from gateways import GatewayError

log = structlog.get_logger()


def compose(sms) -> str:
    """The text of `sms`. Raises GatewayError(permanent=True) when none can be made of the row."""
    try:
        language = sms.language if sms.language in languages.LOCALES else languages.DEFAULT
        return _TEXTS[sms.kind](sms, language)
    except PeeweeException:
        raise
    except Exception as error:
        log.exception("sms.not_composed", sms=sms.id, kind=sms.kind)
        raise GatewayError(f"The SMS cannot be composed: {type(error).__name__}.", permanent=True) from error


def _security_code(sms, language: str) -> str:
    from mails import words

    gettext = words(language).gettext
    # The code first: phones offer it above the keyboard, and a lock screen shows it whole.
    return gettext("%(code)s: kodi për ta shtuar numrin te %(brand)s. Mos ia jepni askujt.") % {
        "code": sms.code.digits,
        "brand": config.BRAND,
    }


_TEXTS = {"security_code": _security_code}
