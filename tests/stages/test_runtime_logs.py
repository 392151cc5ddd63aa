"""runtime/logs.py and runtime/redact.py: canaries go in everywhere, none comes out; nothing forges a line."""

import io
import json
import logging

import pytest
import structlog

from postroom.config import Log
from postroom.runtime import logs
from postroom.runtime.redact import redacted

CANARY = "canary-4f1c9e77d2"


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture(params=["json", "text"])
def output(request):
    stream = io.StringIO()
    logs.configure(Log(level="debug", format=request.param), stream)
    return stream


CANARIES = [
    f"AUTH PLAIN {CANARY}",
    f"auth login {CANARY}",
    f"C: AUTH SCRAM-SHA-256 {CANARY}",
    f"Authorization: Bearer {CANARY}",
    f"Authorization: Basic {CANARY}==",
    f"got bearer {CANARY} from 192.0.2.1",
    f"Cookie: session={CANARY}; other={CANARY}",
    f"Set-Cookie: session={CANARY}",
    f"postgresql://postroom:{CANARY}@db.example.com/postroom",
    f"password={CANARY}",
    f'{{"password": "{CANARY} and more"}}',
    f"{{'api_key': '{CANARY}'}}",
    f"/reset?token={CANARY}&next=1",
    f"client_secret={CANARY}",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}",
]


@pytest.mark.parametrize("text", CANARIES)
def test_x02_no_secret_comes_out_wherever_it_goes_in(output, text):
    log = structlog.get_logger()
    log.debug(text)
    log.info("as a fact", line=text)
    log.info("as octets", line=text.encode())
    log.info("deep inside", outer={"inner": [text, (text,)]})
    log.info("long", line="x" * 8150 + " " + text)
    logging.getLogger("a.library").error("said %s", text)
    log.error("raised", exc_info=ValueError(text))
    log.info("as a value", error=ValueError(text))
    assert CANARY not in output.getvalue()
    assert output.getvalue().count("[redacted]") >= 8


@pytest.mark.parametrize(
    "key",
    ["password", "smtp_password", "secret", "token", "Authorization", "cookie", "api_key", "private-key"],
)
def test_x02_values_are_hidden_by_the_name_of_their_key(output, key):
    structlog.get_logger().info("settings", **{key: CANARY}, table={key: CANARY})
    assert CANARY not in output.getvalue()


def test_x02_libraries_say_nothing_below_a_warning(output):
    own = logging.getLogger("a.library.with.a.level.of.its.own")
    own.setLevel(logging.DEBUG)
    for name in (
        "aiosqlite",
        "asyncio",
        "sqlalchemy.engine",
        "httpcore.http11",
        "uvicorn.error",
        "",
        own.name,
    ):
        logging.getLogger(name).debug("executing %s", (CANARY,))
        logging.getLogger(name).info("executed %s", (CANARY,))
    assert not logging.getLogger("aiosqlite").isEnabledFor(logging.INFO)  # nor is anything made of it
    assert output.getvalue() == ""
    logging.getLogger("aiosqlite").warning("careful")
    assert "careful" in output.getvalue()


@pytest.mark.parametrize(
    "value", ["encrypted", "250 2.0.0 Ok: queued as 0123", "the password was wrong", 5, 1.5, True, None]
)
def test_what_is_no_secret_stays(value):
    assert redacted(value) == value


def test_long_values_are_cut():
    assert len(redacted("x" * 100_000)) < 9000


FORGERIES = ["one\r\ntwo", "a\x1b[2Jb", "a\u2028b", "a\x00b", "a\x85b", "\x9b31m", "a\u202eb"]


@pytest.mark.parametrize("text", FORGERIES)
def test_x03_nothing_forges_a_line(output, text):
    structlog.get_logger().info(text, subject=text, **{"who": [text]})
    written = output.getvalue()
    assert written.count("\n") == 1
    assert written.rstrip("\n").isprintable()


def test_every_line_of_json_can_be_parsed():
    stream = io.StringIO()
    logs.configure(Log(format="json"), stream)
    structlog.get_logger().info("delivered", host="mx.example.com")
    logging.getLogger("a.library").warning("careful")
    structlog.get_logger().debug("not shown")
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (first["event"], first["level"], first["host"]) == ("delivered", "info", "mx.example.com")
    assert (second["event"], second["logger"]) == ("careful", "a.library")
    assert first["timestamp"].endswith("Z")


def test_text_is_one_line_and_a_traceback_below():
    stream = io.StringIO()
    logs.configure(Log(format="text"), stream)
    structlog.get_logger().info("delivered", host="mx.example.com", reply="250 ok", size=5, lines=["a"])
    try:
        int("out of luck")
    except ValueError:
        structlog.get_logger().exception("failed")
    first, second, *rest = stream.getvalue().splitlines()
    assert first.endswith('info     delivered host=mx.example.com reply="250 ok" size=5 lines=["a"]')
    assert second.endswith("error    failed")
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-1] == "    ValueError: invalid literal for int() with base 10: 'out of luck'"


def test_auto_is_json_unless_on_a_terminal():
    stream = io.StringIO()
    logs.configure(Log(), stream)
    structlog.get_logger().info("one")
    json.loads(stream.getvalue())
    stream = io.StringIO()
    stream.isatty = lambda: True
    logs.configure(Log(), stream)
    structlog.get_logger().info("one")
    assert not stream.getvalue().startswith("{")


def test_q04_a_log_that_cannot_be_written_fails_nobody():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

        def flush(self):
            raise ValueError("closed")

    logs.configure(Log(), Full())
    structlog.get_logger().info("one")
    logging.getLogger("a.library").error("two")
