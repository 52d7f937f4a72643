"""The house's own words in the shop's texts, and what a brand says in their place.

Texts are written, and translated, with the words of the house: "Përdorni pikët e Klubit Im". A brand gives the whole
form that each language needs ("Klubit Im" = "Rrethit"), since Albanian and Macedonian bend names. Replacing is one
pass over the finished text, the longest words first, so that nothing is replaced twice.
"""

import re

# Said on the start page and by shared links; a brand's claim stands in its place.
HOUSE_CLAIM = {
    "sq": "Telefoni i ri, drejt e te dera",
    "mk": "Новиот телефон, право до врата",
    "en": "Your new phone, straight to your door",
}
# What each language's texts say; tests find a text with a word of the house that is not here.
HOUSE_WORDS = {
    "sq": (
        "Klubi Im",
        "Klubin Im",
        "Klubit Im",
        "Maqedoninë e Veriut",
        "shembull.mk",
        "fillon me 07",
        "Shkupit",
    ),
    "mk": (
        "Мојот клуб",
        "Мој клуб",
        "Северна Македонија",
        "primer.mk",
        "почнува со 07",
        "скопско",
    ),
    "en": (
        "My Club",
        "Klubi Im",
        "North Macedonia",
        "example.mk",
        "starts with 07",
        "begins with 07",
        "Skopje",
    ),
}


class Dresser:
    """Puts a brand's words in the places of the house's."""

    def __init__(self, instead: dict[str, str]):
        self.instead = instead
        longest_first = sorted(instead, key=len, reverse=True)
        self._house = re.compile("|".join(re.escape(word) for word in longest_first))

    def dress(self, text: str) -> str:
        return self._house.sub(lambda found: self.instead[found[0]], text)
