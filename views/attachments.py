"""Handing out what shoppers attached: always as a file to keep, never as a page of the shop (AFT-4)."""

import structlog
from flask import abort, send_file

from models.attachment import Attachment
from views.respond import keep_private

log = structlog.get_logger()


def hand_out(attachment: Attachment):
    """The file as a download; the caller has decided that whoever asks may have it. 404 where it is gone."""
    try:
        response = send_file(
            attachment.path,
            mimetype=attachment.kind,
            as_attachment=True,
            download_name=attachment.name,
            conditional=False,
            etag=False,
        )
    except FileNotFoundError:
        log.error("attachment.lost", attachment=attachment.id)
        abort(404)
    # Whatever is in it, a browser that shows it all the same runs nothing of it.
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return keep_private(response)
