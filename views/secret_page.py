"""Pages that whoever has a link may see: no cache, no search engine and no next page learns of their address."""

from views.respond import keep_private


def keep_secret(response):
    """For a blueprint's `after_request`."""
    keep_private(response)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response
