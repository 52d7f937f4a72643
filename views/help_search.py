"""Looks a question up among the answers, whatever its grammar: Albanian and Macedonian bend every word.

Two words are alike when they begin alike for most of their length ("anuloj", "anuluar"); how rare a word is among
the questions says how much it tells. A word that is like none is taken for a typing error of the nearest one.
"""

import math
import re
from difflib import get_close_matches
from functools import lru_cache

from models.search_text import latin
from views.help_words import Question, Topic

# Of words this long and shorter the whole begins what is found.
SHORTEST = 3
# What a word tells where it stands in the question itself, and among its other words; in the answer it is 1.
IN_QUESTION, IN_OTHER_WORDS = 3.0, 2.0
# Of the best, what else is shown.
SHARE = 0.4
MOST = 12


def found(topics: tuple[Topic, ...], q: str) -> list[Question]:
    """The questions that `q` may mean, the likeliest first; none where no word of it is known."""
    # Small words say nothing beside others.
    asked = [word for word in _words(q) if len(word) >= SHORTEST] or _words(q)
    questions = [question for topic in topics for question in topic.questions]
    texts = [(_words(one.ask), _words(one.means), _words(" ".join(one.answer))) for one in questions]
    known = sorted({word for text in texts for part in text for word in part})
    score = dict.fromkeys(range(len(questions)), 0.0)
    for word in asked:
        at = _told(word, texts)
        if not at:
            at = {place: told / 2 for near in _near(word, known) for place, told in _told(near, texts).items()}
        rarity = math.log(1 + len(questions) / (len(at) or 1))
        for place, told in at.items():
            score[place] += told * rarity
    best = max(score.values(), default=0)
    likely = sorted((place for place in score if score[place] > best * SHARE), key=lambda place: -score[place])
    return [questions[place] for place in likely[:MOST]] if best else []


def _told(word: str, texts) -> dict[int, float]:
    """What `word` tells of each text it stands in, by its place."""
    told = {}
    for place, (question, means, answer) in enumerate(texts):
        parts = ((question, IN_QUESTION), (means, IN_OTHER_WORDS), (answer, 1.0))
        best = max(weight * max((_alike(word, other) for other in part), default=0) for part, weight in parts)
        if best:
            told[place] = best
    return told


def _near(word: str, known: list[str]) -> list[str]:
    return get_close_matches(word, known, n=2, cutoff=0.75) if len(word) > SHORTEST else []


@lru_cache(maxsize=16_384)
def _alike(asked: str, other: str) -> float:
    """From 0 to 1: how much of a word that was typed begins the other one too."""
    shared = 0
    for mine, its in zip(asked, other, strict=False):
        if mine != its:
            break
        shared += 1
    if asked == other:
        return 1.0
    # An ending is up to three letters, of a long word up to four.
    least = max(SHORTEST, len(asked) - (4 if len(asked) > 7 else 3 if len(asked) > 5 else 1))
    return 0.9 * shared / len(asked) if shared >= min(least, len(asked)) and len(asked) >= SHORTEST else 0.0


@lru_cache(maxsize=2_048)
def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"[a-z0-9]{2,}", latin(text))))
