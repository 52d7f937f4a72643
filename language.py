"""The language is in the URL: none for the first one, /mk and /en for the others (LOC-1)."""

from datetime import date
from functools import lru_cache
from gettext import NullTranslations

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.support import Translations
from flask import g, request
from flask_babel import Babel, Domain

import config


def _albanian() -> str:
    """Albanian as the operator's country writes it; where that has no such entry, as North Macedonia does."""
    try:
        return str(Locale.parse(f"sq_{config.COUNTRY}"))
    except UnknownLocaleError:
        return "sq_MK"


LOCALES = {"sq": _albanian(), "mk": "mk_MK", "en": "en"}
NAMES = {"sq": "Shqip", "mk": "Македонски", "en": "English"}
DEFAULT = config.LANGUAGES[0]


class LanguagePrefix:
    """Moves a language prefix from the path into SCRIPT_NAME, so that every URL the shop builds keeps it.

    What came as SCRIPT_NAME is dropped: gunicorn takes it from a header of that name, which a proxy may pass on from
    anybody, and pages kept for everybody would link to wherever it points.
    """

    def __init__(self, wsgi_app):
        self.wsgi_app = wsgi_app

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        first, _, rest = path.lstrip("/").partition("/")
        environ["SCRIPT_NAME"] = ""
        if first in config.LANGUAGES[1:]:
            environ["dyqani.language"] = first
            environ["SCRIPT_NAME"] = "/" + first
            environ["PATH_INFO"] = "/" + rest
        return self.wsgi_app(environ, start_response)


def current() -> str:
    """The language of this request, or of the message that is being written."""
    chosen = g.get("language")
    if chosen is None:
        chosen = g.language = request.environ.get("dyqani.language", DEFAULT) if request else DEFAULT
    return chosen


def url_in(language: str) -> str:
    """The address of the page being shown, in `language`."""
    prefix = "" if language == DEFAULT else f"/{language}"
    query = request.query_string.decode("ascii", "ignore")
    return prefix + request.path + (f"?{query}" if query else "")


@lru_cache(maxsize=8)
def prefix_of(language: str) -> str:
    return "" if language == DEFAULT else f"/{language}"


class Dressed:
    """Translations whose texts say the brand's words instead of the house's (face/words.py)."""

    def __init__(self, translations: NullTranslations, language: str):
        self._found, self._language = translations, language

    def gettext(self, text: str) -> str:
        return config.FACE.dress(self._found.gettext(text), self._language)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return config.FACE.dress(self._found.ngettext(singular, plural, number), self._language)

    ugettext, ungettext = gettext, ngettext


@lru_cache(maxsize=8)
def translations(language: str) -> NullTranslations | Dressed:
    """The texts of `language`, in the brand's words; they stay Albanian where there are no others."""
    found = Translations.load(str(config.ROOT / "translations"), [LOCALES[language]])
    return Dressed(found, language) if language in config.FACE.dressers else found


class Texts(Domain):
    """Flask-Babel's texts, which are those of the mails too."""

    def get_translations(self):
        return translations(current())


def init(app) -> None:
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(config.ROOT / "translations")
    app.config["BABEL_DEFAULT_TIMEZONE"] = config.TIMEZONE
    Babel(app, locale_selector=lambda: LOCALES.get(current(), "en"))
    app.extensions["babel"].instance.domain_instance = Texts(app.config["BABEL_TRANSLATION_DIRECTORIES"])
    app.wsgi_app = LanguagePrefix(app.wsgi_app)


def last_day(day: date, language: str) -> str:
    """A day as it is said after "by": "të martën, 25 nëntor" (DLV-2)."""
    gettext = translations(language).gettext
    phrase = (
        gettext("të hënën, %(date)s"),
        gettext("të martën, %(date)s"),
        gettext("të mërkurën, %(date)s"),
        gettext("të enjten, %(date)s"),
        gettext("të premten, %(date)s"),
        gettext("të shtunën, %(date)s"),
        gettext("të dielën, %(date)s"),
    )[day.weekday()]
    return phrase % {"date": day_and_month(day, language)}


def day_and_month(day: date, language: str) -> str:
    """ "25 nëntor", in one line."""
    return format_date(day, "d MMMM", locale=LOCALES[language]).replace(" ", "\u00a0")
