"""The operator's face: everything that makes the shop theirs, read from one folder (docs/brand.md).

`load(folder)` reads brand.toml and the files beside it, and refuses what cannot be with file and line; `config.FACE`
is the one of this shop. Nothing here imports the shop: config.py reads it first. The words and colours in code,
templates and style sheets are the house's own; what another brand says and shows instead is put in their place by
`Face.dress` (words), `face.files` (style sheets and drawings) and the tokens `light` and `dark` (mails, papers,
pictures).
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from face.colours import TOKENS, is_colour
from face.mark import Mark, UnfitMark
from face.refusal import BadFace, line_of
from face.words import HOUSE_CLAIM, HOUSE_WORDS, Dresser

LANGUAGES = ("sq", "mk", "en")
CURRENCIES = ("MKD", "EUR", "ALL", "RSD", "BAM", "USD")
# What the points of the club turn into; their keys are the club's own (models/club_rate.py).
BUNDLES = ("hej", "super", "fillo")
# Texts of the operator: FILE.LANGUAGE.md in the folder; the first must be there in each language.
TERMS, PRIVACY = "terms", "privacy"


@dataclass(frozen=True)
class Company:
    """Who sells, as papers, terms and the foot of each page name it; `address` by language."""

    name: str = ""
    address: dict = field(default_factory=dict)
    # "Tax number 123…", or whatever the law wants said; by language.
    details: dict = field(default_factory=dict)

    def lines(self, language: str) -> list[str]:
        """Name, address and details, those that were given."""
        return [text for text in (self.name, self.address.get(language), self.details.get(language)) if text]


@dataclass(frozen=True)
class Face:
    """One brand. Colours are by token (face/colours.py), texts by language."""

    folder: Path
    name: str
    claim: dict
    order_prefix: str
    languages: tuple[str, ...]
    currency: str
    country: str
    timezone: str
    promotion_step: int
    phone: str
    email: str
    company: Company
    terms_edition: str
    light: dict
    dark: dict
    mark: Mark
    # The mark in mails stands on a light or a dark ground, and cannot know which.
    mark_in_mail: str
    contract: str
    sms_code: str
    ussd_code: str
    # hej, super, fillo → (name, what is sent by SMS)
    bundles: dict
    dressers: dict

    def dress(self, text: str, language: str) -> str:
        """`text` with this brand's words where the house's stand."""
        return self.dressers[language].dress(text) if language in self.dressers else text

    @property
    def contract_word(self) -> str:
        """The contract's name as a part of addresses: "besnik24"."""
        return re.sub(r"[^a-z0-9]", "", self.contract.lower().replace("ë", "e").replace("ç", "c"))

    def file(self, name: str) -> Path | None:
        """The folder's own file, or None where it has none."""
        path = self.folder / name
        return path if path.is_file() else None


def load(folder: Path) -> Face:
    """The face in `folder`; raises BadFace, which names the file and, where it is one, the line."""
    path = folder / "brand.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadFace(path, None, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFace(path, None, f"cannot be read: {error}") from None
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise BadFace(path, int(found[1]) if found else None, str(error)) from None
    return _Reader(folder, path, text, said).face()


class _Reader:
    """Takes brand.toml apart; every refusal knows the line of what it is about."""

    def __init__(self, folder: Path, path: Path, text: str, said: dict):
        self.folder, self.path, self.text, self.said = folder, path, text, said

    def refuse(self, keys: tuple[str, ...], why: str):
        raise BadFace(self.path, line_of(self.text, keys), f"{'.'.join(keys)} {why}" if keys else why)

    def face(self) -> Face:
        self._only((), _KEYS)
        languages = self._languages()
        name = self._text(("name",), 18)
        claim = self._in_languages(("claim",), languages, 60)
        prefix = self._like(("order_prefix",), r"(?!FA|PL)[A-Z]{2}", "two capital letters, not FA or PL", "DY")
        contract = self._word(("products", "contract"), "Besnik 24")
        sms_code = self._like(("codes", "sms"), r"[0-9]{3,8}", "digits such as 50777", "50777")
        ussd_code = self._like(("codes", "ussd"), r"[0-9]{2,5}", "digits such as 777", "777")
        face = Face(
            folder=self.folder,
            name=name,
            claim=claim,
            order_prefix=prefix,
            languages=languages,
            currency=self._one_of(("currency",), CURRENCIES, "MKD"),
            country=self._like(("country",), r"[A-Z]{2}", "two capital letters such as MK", "MK"),
            timezone=self._timezone(),
            promotion_step=self._whole(("promotion_step",), 1, 1000, 10),
            phone=self._like(("contact", "phone"), r"\+?[0-9][0-9 /-]{2,19}", "a phone number"),
            email=self._like(("contact", "email"), r"[^@\s<>\"]+@[^@\s<>\"]+", "an e-mail address"),
            company=Company(
                self._text(("company", "name"), 80, default=""),
                self._in_languages(("company", "address"), languages, 120),
                self._in_languages(("company", "details"), languages, 120),
            ),
            terms_edition=self._like(("terms_edition",), r"20[0-9]{2}-[01][0-9](-[0-3][0-9])?", "such as 2026-11"),
            light=self._colours("light"),
            dark=self._colours("dark"),
            mark=self._mark(),
            mark_in_mail=self._colour(("mark", "mail"), self.said.get("colours", {}).get("light", {}).get("accent")),
            contract=contract,
            sms_code=sms_code,
            ussd_code=ussd_code,
            bundles=self._bundles(),
            dressers=self._dressers(languages, claim, prefix, contract, sms_code, ussd_code),
        )
        if not face.contract_word or face.contract_word in ("vetem", "numeriri"):
            self.refuse(("products", "contract"), "must have letters or digits that make an address")
        self._files(face)
        return face

    # Values

    def _at(self, keys):
        found = self.said
        for key in keys:
            if not isinstance(found, dict) or key not in found:
                return None
            found = found[key]
        return found

    def _only(self, keys, known: dict):
        """Refuse what is misspelt: a key that nothing reads would be a wish that nobody hears."""
        for key, value in (self._at(keys) if keys else self.said).items():
            if key not in known:
                self.refuse((*keys, key), f"is not known; known here: {', '.join(known)}")
            inner = known[key]
            if isinstance(inner, dict):
                if not isinstance(value, dict):
                    self.refuse((*keys, key), "must be a table")
                self._only((*keys, key), inner)

    def _text(self, keys, most: int, default: str | None = None) -> str:
        value = self._at(keys)
        if value is None:
            if default is not None:
                return default
            self.refuse(keys, "is missing")
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self.refuse(keys, "must be a text on one line")
        if len(value) > most:
            self.refuse(keys, f"has {len(value)} characters, at most {most} fit")
        if re.search(r"[<>&%\"]", value):
            self.refuse(keys, 'must not hold < > & % or "')
        return value.strip()

    def _word(self, keys, default: str | None = None) -> str:
        return self._text(keys, 30, default)

    def _like(self, keys, pattern: str, example: str, default: str | None = None) -> str:
        value = self._text(keys, 80, default)
        if not re.fullmatch(pattern, value):
            self.refuse(keys, f"must be {example}, not {value!r}")
        return value

    def _one_of(self, keys, values, default):
        value = self._text(keys, 20, default)
        if value not in values:
            self.refuse(keys, f"must be {', '.join(values[:-1])} or {values[-1]}, not {value!r}")
        return value

    def _whole(self, keys, low, high, default):
        value = self._at(keys)
        if value is None:
            return default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.refuse(keys, f"must be a whole number from {low} to {high}")
        return value

    def _in_languages(self, keys, languages, most) -> dict:
        """A text for each language, or none at all."""
        table = self._at(keys)
        if table is None:
            return {}
        if not isinstance(table, dict):
            self.refuse(keys, f"must be a table with {', '.join(languages)}")
        for language in languages:
            if language not in table:
                self.refuse((*keys, language), "is missing")
        return {language: self._text((*keys, language), most) for language in languages}

    def _languages(self) -> tuple[str, ...]:
        value = self._at(("languages",))
        value = list(LANGUAGES) if value is None else value
        if not isinstance(value, list) or not value or not set(LANGUAGES).issuperset(map(str, value)):
            self.refuse(("languages",), "must be some of sq, mk and en")
        if len(set(value)) < len(value):
            self.refuse(("languages",), "names one twice")
        return tuple(value)

    def _timezone(self) -> str:
        name = self._text(("timezone",), 40, "Europe/Skopje")
        try:
            ZoneInfo(name)
        except (OSError, ValueError, ZoneInfoNotFoundError):
            self.refuse(("timezone",), f"must be a zone such as Europe/Skopje, not {name!r}")
        return name

    def _colour(self, keys, default=None) -> str:
        value = self._at(keys)
        value = default if value is None else value
        if value is None:
            self.refuse(keys, "is missing")
        if not is_colour(value):
            self.refuse(keys, f"must be # and six hexadecimal digits such as #2240d2, not {value!r}")
        return value.lower()

    def _colours(self, scheme: str) -> dict:
        return {token: self._colour(("colours", scheme, token)) for token in TOKENS}

    def _mark(self) -> Mark:
        path = self.folder / "mark.svg"
        try:
            return Mark.read(path)
        except UnfitMark as error:
            raise BadFace(path, error.line, str(error)) from None

    def _bundles(self) -> dict:
        names = {"hej": ("hej!", "hej"), "super": ("Super Rrethi", "Msuper"), "fillo": ("Fillo 10", "Mfillo")}
        if self._at(("bundles",)) is not None:
            for key in BUNDLES:
                sent = self._like(
                    ("bundles", key, "sms"), r"[A-Za-z][A-Za-z0-9]{0,11}", "a word of Latin letters and digits"
                )
                names[key] = self._word(("bundles", key, "name")), sent
        sent = [word.upper() for _, word in names.values()]
        if len({*sent, "MB", "SMS", "MMS", "STOP"}) < len(sent) + 4:
            self.refuse(("bundles",), "must send three words of their own, none of them MB, SMS, MMS or STOP")
        return names

    def _dressers(self, languages, claim, prefix, contract, sms_code, ussd_code) -> dict:
        """For each language what stands instead of the house's words; none where the brand says them itself."""
        given = self._at(("words",))
        found = {}
        for language in languages:
            instead = {"Besnik 24": contract, "50777": sms_code, "*777": f"*{ussd_code}", "DY-": f"{prefix}-"}
            if claim:
                instead[HOUSE_CLAIM[language]] = claim[language]
            if given is not None:
                for word in HOUSE_WORDS[language]:
                    if word not in given.get(language, {}):
                        self.refuse(("words", language, word), "is missing: what does your brand say instead?")
                    instead[word] = self._word(("words", language, word))
            instead = {word: other for word, other in instead.items() if word != other}
            if instead:
                found[language] = Dresser(instead)
        return found

    # Files

    def _files(self, face: Face) -> None:
        for language in face.languages:
            path = self.folder / f"{TERMS}.{language}.md"
            if not path.is_file():
                raise BadFace(path, None, "there is no such file; each language has its terms")
        if face.country != "MK":
            for name in ("places.csv", "points.csv"):
                if not (self.folder / name).is_file():
                    why = "there is no such file; those that come along are of North Macedonia"
                    raise BadFace(self.folder / name, None, why)


_IN_LANGUAGES = dict.fromkeys(LANGUAGES)
_COLOURS = dict.fromkeys(TOKENS)
_BUNDLE = dict.fromkeys(("name", "sms"))
_KEYS = {
    **dict.fromkeys(("name", "order_prefix", "languages", "currency", "country", "timezone", "promotion_step")),
    "terms_edition": None,
    "claim": _IN_LANGUAGES,
    "contact": dict.fromkeys(("phone", "email")),
    "company": {"name": None, "address": _IN_LANGUAGES, "details": _IN_LANGUAGES},
    "colours": {"light": _COLOURS, "dark": _COLOURS},
    "mark": {"mail": None},
    "products": {"contract": None},
    "codes": dict.fromkeys(("sms", "ussd")),
    "bundles": dict.fromkeys(BUNDLES, _BUNDLE),
    "words": {language: dict.fromkeys(HOUSE_WORDS[language]) for language in LANGUAGES},
}

__all__ = ["BUNDLES", "LANGUAGES", "PRIVACY", "TERMS", "BadFace", "Company", "Face", "load"]
