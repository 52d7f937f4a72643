"""The step at the counter where the customer says the code from their phone, whatever it is for (CLB-1, CLB-13)."""

from flask import request, url_for
from flask_babel import gettext

import config
from models.number_claim import TooSoon
from models.security_code import CodeOver, TooManyCodes, WrongCode
from views.forms.desk import MemberCodeForm
from views.numbers import too_many, tries_left
from views.respond import go, respond, wants_piece
from views.shopper import shopper


class CodeStep:
    """The step of one kind of request.

    `about` names it in the template, `endpoint` its page; `finish` takes the typed code. `refused` are the errors
    that `why` says in words: nothing has changed then.
    """

    def __init__(self, about: str, endpoint: str, finish, refused: tuple, why):
        self.about, self.endpoint, self.finish = about, endpoint, finish
        self.refused, self.why = refused, why

    def answer(self, found, done):
        """The page of the code; `done(found)` once it was right."""
        if found.is_done:
            return done(found) if request.method == "GET" else self._go(found)
        form = MemberCodeForm()
        if request.method != "POST":
            if wants_piece():
                return respond("desk/code.html", "desk/_again.html", **self._again(found))
            return self._page(found, form)
        if not form.validate():
            return self._page(found, form, 422)
        try:
            self.finish(found, form.code.data, shopper().now)
        except WrongCode as error:
            form.code.errors = [wrong(error)]
        except CodeOver:
            form.code.errors = [gettext("Ky kod nuk vlen më. Dërgoni një tjetër.")]
        except self.refused as error:
            return self._page(found, form, 422, trouble=self.why(error))
        else:
            return self._go(found)
        # A code that was refused is not typed again.
        form.code.data = ""
        return self._page(found, form, 422)

    def send_again(self, found):
        """Another code to the customer."""
        form = MemberCodeForm(formdata=None)
        try:
            found.send_again(shopper().now)
        except (TooSoon, CodeOver):
            # A second click: the code is on its way, or all is done.
            return self._go(found)
        except TooManyCodes as error:
            return self._page(found, form, 429, trouble=too_many(error))
        except self.refused as error:
            return self._page(found, form, 422, trouble=self.why(error))
        return self._go(found)

    def _go(self, found):
        return go(url_for(self.endpoint, token=found.token))

    def _page(self, found, form, status=200, trouble=""):
        return respond(
            "desk/code.html",
            "desk/_code.html",
            status=status,
            form=form,
            trouble=trouble,
            about=self.about,
            **self._again(found),
        )

    def _again(self, found) -> dict:
        now = shopper().now
        left = (found.again_at - now).total_seconds() if found.code is not None else 0
        return {
            "found": found,
            # Seconds until another code can be asked for.
            "wait": max(0, round(left)),
            "is_live": found.is_live(now),
            "here": url_for(self.endpoint, token=found.token),
            "again": url_for(".send_again", token=found.token),
            "back": url_for(".begin"),
            "minutes": config.CODE_MINUTES,
        }


def wrong(error: WrongCode) -> str:
    if not error.left:
        return gettext("Kodi nuk është i saktë dhe nuk vlen më. Dërgoni një tjetër.")
    return tries_left(error)
