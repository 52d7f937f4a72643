"""A shopper with a keyboard and nothing else, who sees after each key where the focus is."""

from playwright.sync_api import expect

# Whether what has the focus is the element that is asked for, and what hinders seeing it. A radio button that is not
# drawn shows its ring on what is chosen with it, a card's link on the whole card.
LOOK = """
(selector) => {
  const it = document.activeElement;
  if (!it || it === document.body) return [false, ""];
  const rings = (node, part) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(node, part);
    return outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  };
  const drawn = (node) => node?.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const ringed = [it, it.closest("label"), it.closest(".choice"), it.closest("tr")]
    .filter((node) => drawn(node) && (rings(node) || rings(node, "::after")));
  // Its padding may lie under what stands beside it.
  const [above, below] = ["Top", "Bottom"].map((side) => parseFloat(getComputedStyle(it)["padding" + side]) + 2);
  const seen = [...it.getClientRects()].some(({ left, right, top, bottom }) => {
    if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1) return false;
    return [top + above, (top + bottom) / 2, bottom - below].every((y) => {
      const on = document.elementFromPoint((left + right) / 2, y);
      return on && (it.contains(on) || ringed.some((node) => node.contains(on)));
    });
  });
  const wrong = [ringed.length ? "" : "no ring is around", seen ? "" : "nobody sees"].filter(Boolean).join(", ");
  return [it.matches(selector), wrong && `${wrong} ${it.outerHTML.slice(0, 200)}`];
}
"""


class Keyboard:
    """The keys that a journey is made with on `page`; nothing here clicks, fills or sets the focus."""

    def __init__(self, page):
        self.page = page

    def press(self, key):
        self.page.keyboard.press(key)

    def is_on(self, selector) -> bool:
        """Whether the focus is on `selector`; wherever it is, it is seen."""
        found, wrong = self.page.evaluate(LOOK, selector)
        assert not wrong, f"{wrong} on {self.page.url}"
        return found

    def tab_to(self, selector, *, back=False, most=150):
        for _ in range(most):
            self.press("Shift+Tab" if back else "Tab")
            if self.is_on(selector):
                return
        raise AssertionError(f"{selector} is not reached by the keyboard on {self.page.url}")

    def enter(self, selector):
        """Follow a link, press a button."""
        self.tab_to(selector)
        self.press("Enter")

    def tick(self, selector):
        self.tab_to(selector)
        self.press("Space")
        expect(self.page.locator(selector).first).to_be_checked()

    def type_into(self, selector, text):
        """What stands there is marked by Tab, and so replaced."""
        self.tab_to(selector)
        self.page.keyboard.type(text)

    def choose(self, selector, key="ArrowDown"):
        """A radio button: Tab leads to its group, an arrow from one to the next."""
        wanted = self.page.locator(selector)
        group = f"[type=radio][name='{wanted.get_attribute('name')}']"
        if not self.is_on(group):
            self.tab_to(group)
        for _ in range(30):
            if self.is_on(selector):
                break
            self.press(key)
        else:
            raise AssertionError(f"{selector} is not reached by {key} on {self.page.url}")
        if not wanted.is_checked():
            self.press("Space")
        expect(wanted).to_be_checked()
