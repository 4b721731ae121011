"""Every setting of Countersign, read from the environment in one place."""

from pathlib import Path
from urllib.parse import urlsplit

from config import environment as env
from config import origins, security_headers
from runner.kernelhost.protocol import LIMIT_BOUNDS, SOURCE_LIMIT_BOUNDS
from runner.logs import FORMATS

BASE_DIR = Path(__file__).resolve().parent.parent

# What this process is -------------------------------------------------------------

DEBUG = env.boolean("DEBUG", default=False)
DEMO = env.boolean("DEMO", default=False)
SECRET_KEY = env.secret_key("SECRET_KEY")
APPLICATION_ORIGIN, CONTENT_ORIGIN = origins.read(demo=DEMO, debug=DEBUG)
APPLICATION_HOST = urlsplit(APPLICATION_ORIGIN).netloc
CONTENT_HOST = urlsplit(CONTENT_ORIGIN).netloc
SECURE = APPLICATION_ORIGIN.startswith("https://")
ALLOWED_HOSTS = sorted(
    {str(urlsplit(origin).hostname) for origin in (APPLICATION_ORIGIN, CONTENT_ORIGIN)}
)

# Applications and middleware ------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "guardian",
    "axes",
    "csp",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "accounts",
    "audit",
    "gallery",
    "reviews",
    "runner",
    "config",
]
MIDDLEWARE = [
    "runner.results.middleware.ContentOriginMiddleware",
    "config.middleware.ApplicationHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.IdleLogoffMiddleware",
    "accounts.middleware.RememberedRightsMiddleware",
    "accounts.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.RefusalPagesMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
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
                "accounts.context_processors.personas",
                "accounts.context_processors.session_end",
                "config.context_processors.installation",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# Databases, cache, queue ----------------------------------------------------------

DATABASES = {
    "default": env.database(
        "DATABASE_URL", pool_size=env.integer("DATABASE_POOL_SIZE", 0)
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
BROKER_URL = env.broker("BROKER_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": BROKER_URL,
        "OPTIONS": {"socket_timeout": 1.0, "socket_connect_timeout": 1.0},
    }
}
CELERY_BROKER_URL = BROKER_URL
# A queue that stalls must not hold a launch or a sweep: the sweep sends lost messages again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2.0,
    "socket_connect_timeout": 1.0,
    # Longer than anything a worker does, so that nothing is sent a second time meanwhile.
    "visibility_timeout": 24 * 3600,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.2,
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What native libraries do not give back ends with the process that holds it.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker takes a message when it has a free place, never ahead of that: a run waits for
# any worker, not for one. Its own queue goes along with each run's message.
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_TASK_DEFAULT_QUEUE = "batch"
CELERY_TASK_ROUTES = {
    "runner.sweep*": {"queue": "sweep"},
    "accounts.sweep*": {"queue": "sweep"},
    "audit.sign_checkpoint": {"queue": "sweep"},
}
CELERY_BEAT_SCHEDULE = {
    "sweep-runs": {"task": "runner.sweep_runs", "schedule": 10.0},
    "sweep-heartbeats": {"task": "runner.sweep_heartbeats", "schedule": 10.0},
    "sweep-identities": {"task": "runner.sweep_identities", "schedule": 10.0},
    "sweep-data-sources": {"task": "runner.sweep_data_sources", "schedule": 60.0},
    "sign-checkpoint": {"task": "audit.sign_checkpoint", "schedule": 300.0},
    "sweep-expired": {"task": "runner.sweep_expired", "schedule": 3600.0},
    "sweep-sessions": {"task": "accounts.sweep_sessions", "schedule": 3600.0},
}

# People ---------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"
    },
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "gallery:catalog"
LOGOUT_REDIRECT_URL = "accounts:sign-in"
AXES_FAILURE_LIMIT = env.integer("SIGN_IN_FAILURE_LIMIT", 8, at_least=1, at_most=100)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_DISABLE_ACCESS_LOG = True  # the event log has it
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
PASSWORD_RESET_TIMEOUT = 24 * 3600  # of the link that an operator hands over
SESSION_IDLE_S = env.integer("SESSION_IDLE_S", 15 * 60, at_least=60)
SESSION_ABSOLUTE_S = env.integer("SESSION_ABSOLUTE_S", 12 * 3600, at_least=60)

# Cookies, origins, headers --------------------------------------------------------

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_S
SESSION_COOKIE_NAME = "__Host-sessionid" if SECURE else "sessionid"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrftoken" if SECURE else "csrftoken"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [APPLICATION_ORIGIN]
CONTENT_SECURITY_POLICY = security_headers.application_policy(
    content_origin=CONTENT_ORIGIN
)
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https")
    if env.boolean("BEHIND_TLS_PROXY", default=False)
    else None
)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000
# What is small enough to be stored never touches a disk on its way.
FILE_UPLOAD_MAX_MEMORY_SIZE = 12_000_000

# Signatures, results, runs --------------------------------------------------------

SIGNING_KEY = env.key32("SIGNING_KEY", env.text("SIGNING_KEY"))
RESULT_KEYS = env.keys32("RESULT_KEYS", apart_from=SIGNING_KEY)
RESULT_RETENTION_DAYS = env.integer("RESULT_RETENTION_DAYS", 30, at_least=1)
APPROVAL_VALID_DAYS = env.integer("APPROVAL_VALID_DAYS", 365, at_least=1)
PEER_APPROVALS_REQUIRED = env.integer("PEER_APPROVALS_REQUIRED", 2, at_least=2)
# Below what a request may hold, which is DATA_UPLOAD_MAX_MEMORY_SIZE.
NOTEBOOK_MAX_BYTES = env.integer(
    "NOTEBOOK_MAX_BYTES", 10_000_000, at_least=1, at_most=11_000_000
)
KERNEL_HOST_SOCKET = env.text("KERNEL_HOST_SOCKET", "")
ENVIRONMENTS_DIR = Path(env.text("ENVIRONMENTS_DIR", BASE_DIR / ".environments"))
ENVIRONMENT_LOCKS_DIR = BASE_DIR / "environments"
SANDBOX = env.choice("SANDBOX", "required", {"required", "degraded"})
DATA_SOURCES = env.data_sources("DATA_SOURCES")
#: Whose eyes a preview in a persona looks through: an invented person of the twin.
NOTIONAL_PEOPLE = env.notional_people("NOTIONAL_PEOPLE")
RUN_LIMITS = {
    name: env.limit(f"RUN_{name.upper()}", default, LIMIT_BOUNDS[name])
    for name, default in {
        "wall_clock_s": 600,
        "cell_s": 600,
        "memory_bytes": 1 << 30,
        "processes": 64,
        "output_bytes_per_cell": 5_000_000,
        "output_bytes": 20_000_000,
        "outputs": 2_000,
    }.items()
}
#: From the least to the most that a version may ask for instead.
RUN_LIMIT_BOUNDS = {
    name: env.limit_bounds(
        f"RUN_{name.upper()}", most, usual=RUN_LIMITS[name], bounds=LIMIT_BOUNDS[name]
    )
    for name, most in {
        "wall_clock_s": 3_600,
        "cell_s": 3_600,
        "memory_bytes": 4 << 30,
        "processes": 256,
        "output_bytes_per_cell": 20_000_000,
        "output_bytes": 40_000_000,
        "outputs": 10_000,
    }.items()
}
#: Runs of one person that may wait or be under way at one time.
RUNS_PER_PERSON = env.integer("RUNS_PER_PERSON", 8, at_least=1)
#: Runs of one person, and of one version, that may be under way at one time; others wait.
RUNS_AT_ONCE_PER_PERSON = env.integer("RUNS_AT_ONCE_PER_PERSON", 4, at_least=1)
RUNS_AT_ONCE_PER_VERSION = env.integer("RUNS_AT_ONCE_PER_VERSION", 16, at_least=1)
#: How long a live session lasts at most, without being used, and with nobody there.
LIVE_SESSION_S = env.integer("LIVE_SESSION_S", 2 * 3600, at_least=60, at_most=12 * 3600)
LIVE_IDLE_S = env.integer("LIVE_IDLE_S", 10 * 60, at_least=10)
LIVE_DISCONNECTED_S = env.integer("LIVE_DISCONNECTED_S", 60, at_least=10)
#: Live sessions of one person that may wait or be under way at one time.
LIVE_PER_PERSON = env.integer("LIVE_PER_PERSON", 3, at_least=1)
QUERY_LIMITS = {
    name: env.limit(f"QUERY_{name.upper()}", default, SOURCE_LIMIT_BOUNDS[name])
    for name, default in {
        "rows": 1_000_000,
        "bytes": 512_000_000,
        "statement_s": 120,
    }.items()
}

# API ------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "config.pagination.PageNumberPagination",
    "DEFAULT_SCHEMA_CLASS": "config.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.problems.exception_handler",
    "PAGE_SIZE": 25,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "DESCRIPTION": "Notebooks that are signed before they run.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENUM_NAME_OVERRIDES": {
        "VersionStatus": "gallery.workflow.Status",
        "RunStatus": "runner.workflow.Status",
        "RunKind": "runner.models.RunKind",
        "Persona": "accounts.personas.Persona",
        "Role": "accounts.roles.ROLE_CHOICES",
        "Purpose": "accounts.personas.Purpose",
        "ReviewDecision": "reviews.models.ReviewDecision",
        "SignOffDecision": "reviews.models.SignOffDecision",
        "Meaning": "reviews.models.Meaning",
        "CellDiffKind": "gallery.serializers.DIFF_KINDS",
        "Severity": "gallery.serializers.SEVERITIES",
    },
}

# Files, language, time, logs ------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", BASE_DIR / ".static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEMO
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
LOG_FORMAT = env.choice("LOG_FORMAT", "text" if DEBUG else "json", FORMATS)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "runner.logs.formatter", "name": LOG_FORMAT}},
    "filters": {"forget_tokens": {"()": "runner.results.logs.ForgetTokens"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["forget_tokens"],
        }
    },
    # The web server's own lines go the same way, so that they hold no token either.
    "loggers": {
        name: {"handlers": [], "propagate": True}
        for name in ("uvicorn", "uvicorn.access")
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
}
