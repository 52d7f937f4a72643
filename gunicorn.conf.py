"""The web server's settings, for bin/run and for a real shop alike (docs/install.md)."""

import gc
import os
import socket

from config import ENV, PORT

wsgi_app = "app:create_app()"
bind = f"{os.environ.get('HOST', '').strip() or '127.0.0.1'}:{PORT}"
workers = int(os.environ.get("WEB_CONCURRENCY", "").strip() or 2)

# Browsers keep a connection for their next request: a sync worker would close it each time.
worker_class = "gthread"
threads = 4
keepalive = 5

# Loaded once and shared by all workers.
preload_app = True
# A worker's sign of life is a file that it touches; on a slow disk that alone can stop it.
if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108

timeout = 30
graceful_timeout = 10
# The shop writes its own log, without personal data; an access log would repeat addresses and search words.
accesslog = None
loglevel = "info" if ENV == "production" else "warning"

# By default a proxy on this machine may set SCRIPT_NAME and PATH_INFO by headers, and some pass on a visitor's.
forwarder_headers = ""

# Its default place is one per user: two shops of one user would fight for it.
control_socket_disable = True


# Drawn cards that all workers share: a kilobyte and a half each.
_DRAWN_AHEAD = 4_000


def when_ready(server):
    """A connection reaches a thread only when its request has begun to arrive.

    Browsers open some ahead of need, and each would take a thread for five seconds of waiting.
    """
    for listener in server.LISTENERS:
        if listener.sock.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_DEFER_ACCEPT"):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)


def on_starting(server):
    """The shelf is loaded once, before the workers are forked: they share its memory, and none begins with it.

    So are the cards that most lists and searches begin with, and the libraries that draw PDF.
    """
    from models.base import db
    from models.budget import budget
    from models.shelf import shelf

    app = server.app.wsgi()
    try:
        with db.connection_context():
            shelf.fresh()
            # A bare application has no addresses for them.
            if "device" in getattr(app, "blueprints", ()):
                budget.fresh()
                from documents.sheet import LETTER, letters_of
                from language import DEFAULT
                from views.cards import draw_ahead

                letters_of(LETTER)
                with app.test_request_context():
                    draw_ahead(shelf.popular_cards(_DRAWN_AHEAD), DEFAULT)
    except Exception as error:
        # Each worker loads it when the database is there; what one page cannot do must not keep the others shut.
        server.log.warning("The shelf is not loaded yet: %s: %s", type(error).__name__, error)


def pre_fork(server, worker):
    """A connection that several processes share garbles what each of them says: close what loading opened.

    What is loaded by now is not looked at by the garbage collector again, so its memory stays shared.
    """
    from models.base import db

    if not db.is_closed():
        db.close()
    if hasattr(db, "close_all"):
        db.close_all()
    gc.collect()
    gc.freeze()
