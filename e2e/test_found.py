"""What is written for search engines does no harm in a browser: it is data, and the content policy lets it be."""

import json

# A script in the page itself, and what the policy says of it.
INLINE = """() => new Promise((done) => {
  document.addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective));
  const script = document.createElement("script");
  script.textContent = "1";
  document.body.append(script);
})"""


def test_blocks_of_data_are_read_and_break_no_policy(visitor):
    page = visitor()
    broken = []
    page.expose_function("broke", lambda directive: broken.append(directive))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation', event => broke(event.violatedDirective))"
    )
    for path in ("/", "/celulare", "/pajisja/samsung-galaxy-s25"):
        page.goto(path)
        blocks = page.locator('script[type="application/ld+json"]').all_text_contents()
        assert [json.loads(block)["@context"] for block in blocks] == ["https://schema.org"]
    assert broken == []
    # Scripts in a page are refused as ever.
    assert page.evaluate(INLINE).startswith("script-src")
