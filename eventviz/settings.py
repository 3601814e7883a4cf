"""Every setting, read from the environment once and checked at start."""

from __future__ import annotations

import sys
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.log import CallbackFilter

from eventviz import env
from eventviz.logs import is_news

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.flag("EVENTVIZ_DEBUG")
# A laptop's demo: signs every visitor in as an operator, so it must stay on loopback.
EVENTVIZ_DEMO = env.flag("EVENTVIZ_DEMO")
# The sample shop's page, and how many orders a second come by themselves.
EVENTVIZ_SHOP = env.flag("EVENTVIZ_SHOP", default=EVENTVIZ_DEMO)
# Where the shop remembers what it handled, and a switch of its page: one file for both processes.
EVENTVIZ_SHOP_STORE = env.text("EVENTVIZ_SHOP_STORE", str(BASE_DIR / ".cache" / "shop.sqlite3"))
DEMO_RATE = env.number("DEMO_RATE", 1.0)
# Gives a service its OpenTelemetry tracer; the rooms know the API alone.
EVENTVIZ_TRACER = "eventviz.telemetry.tracer_of"
# A key that changes at each start signs everybody out: set one for a real installation.
SECRET_KEY = env.secret_key("EVENTVIZ_SECRET_KEY", BASE_DIR / ".cache" / "secret-key")
ALLOWED_HOSTS = env.words("EVENTVIZ_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
# Full origins, scheme and port included, which may open sockets beside the page's own.
CSRF_TRUSTED_ORIGINS = env.words("EVENTVIZ_TRUSTED_ORIGINS")

# Kafka
EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS = env.words("EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
# What the cluster wants to see of its clients (docs/clusters.md).
EVENTVIZ_KAFKA_SECURITY = env.beginning_with(
    *("EVENTVIZ_KAFKA_SECURITY_", "EVENTVIZ_KAFKA_SASL_"),
    *("EVENTVIZ_KAFKA_OAUTH_", "EVENTVIZ_KAFKA_SSL_"),
)
# Topic names or shell patterns (`orders*`); a `!` excludes. Internal topics never match.
EVENTVIZ_KAFKA_TOPICS = env.words("EVENTVIZ_KAFKA_TOPICS", "*")
# Where an unknown topic begins: earliest, latest or an age such as -1h.
EVENTVIZ_KAFKA_START = env.text("EVENTVIZ_KAFKA_START", "earliest")
EVENTVIZ_KAFKA_GROUP = env.text("EVENTVIZ_KAFKA_GROUP", "eventviz")
# Seconds between two looks for new topics.
EVENTVIZ_KAFKA_DISCOVERY_MS = env.integer("EVENTVIZ_KAFKA_DISCOVERY_MS", 500, minimum=50)
# How far the ingestor gives way to other processes of this machine, the web server above all.
EVENTVIZ_INGEST_NICE = env.integer("EVENTVIZ_INGEST_NICE", 5, maximum=19)
# A JSON list of mappings, for envelopes that no dialect knows (docs/mappings.md).
EVENTVIZ_MAPPINGS = env.text("EVENTVIZ_MAPPINGS", "[]")
# Payload fields by whose values a flow is found, as shell patterns; empty means the usual ones.
EVENTVIZ_KEY_FIELDS = env.words("EVENTVIZ_KEY_FIELDS")
# Topics of dead letters and of retries beside those that look like it: names or shell patterns; a
# `!` says that a topic is none (docs/dead-letters.md).
EVENTVIZ_DEAD_LETTER_TOPICS = env.words("EVENTVIZ_DEAD_LETTER_TOPICS")
EVENTVIZ_RETRY_TOPICS = env.words("EVENTVIZ_RETRY_TOPICS")
# A Confluent-compatible schema registry; empty: the built-in one, at `/registry` of these pages.
EVENTVIZ_SCHEMA_REGISTRY_URL = env.text("EVENTVIZ_SCHEMA_REGISTRY_URL").rstrip("/")
EVENTVIZ_SCHEMA_REGISTRY_USER = env.text("EVENTVIZ_SCHEMA_REGISTRY_USER")
EVENTVIZ_SCHEMA_REGISTRY_PASSWORD = env.text("EVENTVIZ_SCHEMA_REGISTRY_PASSWORD")
# A file of certificates to trust instead of the system's.
EVENTVIZ_SCHEMA_REGISTRY_CA = env.text("EVENTVIZ_SCHEMA_REGISTRY_CA")
# A longer value keeps a prefix, its length and its hash.
EVENTVIZ_MAX_RECORD_BYTES = env.integer("EVENTVIZ_MAX_RECORD_BYTES", 2 * 1024 * 1024, minimum=1024)

# What `manage.py work` removes by itself: flows older than an age, the oldest ones above a size.
EVENTVIZ_KEEP = env.text("EVENTVIZ_KEEP")
EVENTVIZ_KEEP_BYTES = env.text("EVENTVIZ_KEEP_BYTES")

# Where records may be sent again, as names or patterns; empty: every topic that is read but for
# dead letter and retry topics.
EVENTVIZ_RETRY_TARGETS = env.words("EVENTVIZ_RETRY_TARGETS")
# One message is sent again so often at most.
EVENTVIZ_RETRY_LIMIT = env.integer("EVENTVIZ_RETRY_LIMIT", 5, minimum=1)
# A message whose effects have not come by then is called unconfirmed.
EVENTVIZ_RETRY_CONFIRM_S = env.integer("EVENTVIZ_RETRY_CONFIRM_S", 60, minimum=1)

# Where alerts go, as addresses of apprise; empty: to the page alone.
EVENTVIZ_ALERT_URLS = env.words("EVENTVIZ_ALERT_URLS")
# Messages of one group within an hour, and hours that one may wait, before an alert; 0: never.
EVENTVIZ_ALERT_RATE = env.integer("EVENTVIZ_ALERT_RATE", 100)
EVENTVIZ_ALERT_AGE_H = env.integer("EVENTVIZ_ALERT_AGE_H", 24)
# A saga past its timeout is stuck when nothing has moved for so long; a rebuild applies a change.
EVENTVIZ_SAGA_STUCK_S = env.integer("EVENTVIZ_SAGA_STUCK_S", 60)
# The address of these pages, for links in alerts.
EVENTVIZ_PUBLIC_URL = env.text("EVENTVIZ_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")

DATABASES = {"default": env.database("EVENTVIZ_DATABASE_URL", BASE_DIR / "eventviz.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What an ingestor needs. The apps of pages load most of themselves at once: 15 MB of no use to it.
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "tracing"]
if sys.argv[1:2] != ["ingest"]:
    INSTALLED_APPS += [
        # Teaches `runserver` websockets; other commands start a quarter of a second sooner without.
        *(["daphne"] if "runserver" in sys.argv else []),
        "django.contrib.admin",
        "django.contrib.sessions",
        "django.contrib.messages",
        "whitenoise.runserver_nostatic",
        "django.contrib.staticfiles",
        "channels",
        "django_htmx",
        "csp",
    ]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tracing.web.access.AccessMiddleware",
]

ROOT_URLCONF = "eventviz.urls"
ASGI_APPLICATION = "eventviz.asgi.application"
# Ids of producers may end in a slash or lack one: never redirect between the two.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tracing.web.context.shell",
            ],
        },
    },
    # Rows that live pages draw by the hundred.
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates" / "rows"],
        "OPTIONS": {"environment": "tracing.web.rows.environment"},
    },
]

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# Where collectstatic writes, for a web server in front; else files are served from where they are.
STATIC_ROOT = env.text("EVENTVIZ_STATIC_ROOT") or None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/flows/"
LOGOUT_REDIRECT_URL = "/login/"
# Sessions in the cookie: a page view never writes to the database that the ingestor writes to.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
# A name of its own for each port, so that two demos side by side keep their visitors apart.
SESSION_COOKIE_NAME = env.text("EVENTVIZ_SESSION_COOKIE", "eventviz-session")
CSRF_COOKIE_NAME = f"{SESSION_COOKIE_NAME}-csrf"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.flag("EVENTVIZ_HTTPS")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SESSION_COOKIE_SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"news": {"()": CallbackFilter, "callback": is_news}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["news"]}
    },
    "root": {"handlers": ["console"], "level": env.text("EVENTVIZ_LOG_LEVEL", "INFO")},
    # The client logs each reconnect attempt; the ingestor says the same once, in its own words.
    "loggers": {
        "kafka": {"level": "ERROR"},
        # Tells with a trace what the ingestor says in a line.
        "kafka.net": {"level": "CRITICAL"},
        # Says "failed Cancelled" at each regular close.
        "kafka.cluster": {"level": "CRITICAL"},
        "daphne": {"level": "WARNING"},
        # Names addresses, which may hold secrets; the page says what was not delivered.
        "apprise": {"level": "CRITICAL"},
        "django.channels.server": {"level": "WARNING"},
    },
}
