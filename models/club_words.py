"""What people write to 50777, and dial under *777#: the grammar alone, without a database (CLB-9, CLB-10)."""

import enum
import re
import unicodedata
from dataclasses import dataclass

import config

# What a bundle is called by SMS, and everywhere else.
BUNDLE_WORDS = {key: sent for key, (_, sent) in config.FACE.bundles.items()}
# A mark of joy in a name is for pages.
BUNDLE_NAMES = {key: name.rstrip("!") for key, (name, _) in config.FACE.bundles.items()}
# The digits of *777*1# as the club's terms give them; 1 is none of them.
DIGITS = {"2": "SMS", "3": "MB", "4": "MMS", "5": "fillo", "6": "super"}
# More digits than any member has points.
MOST_DIGITS = 6

_WHATS = {"MB": "MB", "SMS": "SMS", "MMS": "MMS"} | {word.upper(): what for what, word in BUNDLE_WORDS.items()}
_STOP = ("STOP", "СТОП")
_BALANCE = ("PIKE", "PIKË", "PIKET", "PIKËT", "GJENDJA", "ПОЕНИ", "СОСТОЈБА", "POENI", "POINTS", "BALANCE")


class Word(enum.Enum):
    """A message that stands for itself; HELP is whatever was not understood."""

    STOP = "stop"
    BALANCE = "balance"
    HELP = "help"


@dataclass(frozen=True)
class Convert:
    """So many points into units (MB, SMS, MMS) or a bundle (hej, super, fillo)."""

    points: int
    what: str


@dataclass(frozen=True)
class Offer:
    """What may be the code of a partner's offer: capitals and digits."""

    code: str


def read(text: str) -> Word | Convert | Offer:
    """What an SMS asks for. Case, spaces and a mark at the end do not matter (CLB-9)."""
    # NFKC makes one of the many spaces and of full-width letters what they look like.
    said = unicodedata.normalize("NFKC", text).upper().strip(" \t\r\n\"'„“”«»()[].,;:!?")
    number, rest = re.fullmatch(r"([0-9]*)(.*)", said, re.S).groups()
    # Digits are not drawn together: 1 0 MB may be one point or ten.
    rest = re.sub(r"\s", "", rest)
    if number and rest in _WHATS:
        return Convert(int(number), _WHATS[rest]) if len(number) <= MOST_DIGITS else Word.HELP
    whole = re.sub(r"\s", "", said)
    if whole in _STOP:
        return Word.STOP
    if whole in _BALANCE:
        return Word.BALANCE
    if re.fullmatch(r"[A-Z0-9]{1,12}", whole) and not whole.isdigit():
        return Offer(whole)
    return Word.HELP


def points_of(text: str) -> int | None:
    """The points that somebody types into the phone's menu; None for what is no such number."""
    text = text.strip()
    return int(text) if re.fullmatch(rf"[0-9]{{1,{MOST_DIGITS}}}", text) and int(text) else None


# The menu under *777#


@dataclass(frozen=True)
class Place:
    """Where somebody stands in the menu, what was chosen on the way, and whether the last input was wrong.

    After the screens done, no and balance nothing is asked.
    """

    screen: str
    what: str = ""
    points: int = 0
    wrong: bool = False


MAIN, CONVERT = Place("main"), Place("convert")


def inputs_of(code: str, text: str) -> list[str]:
    """All that was dialled and typed so far: *777*1# is *777# and 1."""
    dialled = re.fullmatch(rf"\*{config.FACE.ussd_code}\*([0-9*]*)#?", code.strip())
    return [*(dialled[1].split("*") if dialled else ()), *(text.split("*") if text else ())]


def follow(inputs: list[str]) -> Place:
    """Where these inputs lead from the main menu. They alone decide: the same ones lead to the same place again,
    whatever became of the points meanwhile (CLB-10)."""
    place = MAIN
    for typed in inputs:
        place = _next(place, typed.strip())
    return place


def _next(place: Place, typed: str) -> Place:
    wrong = Place(place.screen, place.what, place.points, wrong=True)
    if place.screen == "main":
        return {"1": CONVERT, "2": Place("balance")}.get(typed, wrong)
    if place.screen == "convert":
        if typed == "0":
            return MAIN
        what = DIGITS.get(typed)
        return wrong if what is None else Place("confirm" if what in BUNDLE_WORDS else "points", what)
    if place.screen == "points":
        if typed == "0":
            return CONVERT
        points = points_of(typed)
        return wrong if points is None else Place("confirm", place.what, points)
    if place.screen == "confirm":
        if typed == "0":
            return CONVERT
        return {"1": Place("done", place.what, place.points), "2": Place("no")}.get(typed, wrong)
    return place
