"""The program as users run it: first run, serve, send, and commands beside a running relay."""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from support.process import Relay, environment, launch_cold, run, starting
from support.tools import need
from support.waiting import until

DOMAIN = "sandbox.postroom.example"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _until(look: Callable[[], Any], relay: Relay, what: str) -> Any:
    """What `look` finds, as soon as it finds something."""
    for _ in range(300):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen\n{relay.log}")


def _over(relay: Relay) -> None:
    """Wait until the welcome is in the inbox and the first run is over."""
    _until(lambda: relay.json("inbox", "list"), relay, "the welcome")


def _pasted(card: str, begin: str, end: str) -> str:
    lines = card.splitlines()
    first = next(at for at, line in enumerate(lines) if line.strip().startswith(begin))
    last = next(at for at, line in enumerate(lines[first:], first) if line.strip().endswith(end))
    return "\n".join(lines[first : last + 1])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A first run that is over, for tests that only add to it."""
    with starting(tmp_path_factory.mktemp("shared") / "data", "--first-run", launch=launch_cold) as started:
        _over(started)
        yield started


def _arrives(relay: Relay, sender: str) -> dict[str, Any]:
    """The message of this sender, once it is in the inbox."""

    def look() -> dict[str, Any] | None:
        return next((item for item in relay.json("inbox", "list") if item["sender"] == sender), None)

    found: dict[str, Any] = _until(look, relay, f"the message of {sender}")
    return found


class TestServe:
    def test_it_says_where_it_listens_and_ends_in_order(self, relay: Relay) -> None:
        announced = relay.data / "serve.json"
        assert json.loads(announced.read_text()) == relay.addresses
        assert _mode(announced) == 0o600
        assert relay.addresses["pid"] == relay.process.pid
        with socket.create_connection(("127.0.0.1", relay.addresses["http"]["port"])):
            pass
        with relay.smtp() as client:
            assert client.noop()[0] == 250
        assert relay.stop(signal.SIGTERM) == 0
        assert not announced.exists()
        relay.close()
        assert len(relay.stdout) == 1

    def test_plain_serve_makes_no_account_and_ctrl_c_ends_it(self, tmp_path: Path) -> None:
        with starting(tmp_path / "data") as relay:
            assert relay.json("account", "list") == relay.json("user", "list") == []
            assert relay.json("smtp-user", "list") == relay.json("domain", "list") == []
            assert not (relay.data / "first-run.txt").exists()
            assert relay.stop(signal.SIGINT) == 0
            assert "assword" not in relay.log

    def test_a_second_one_on_the_same_data_ends_with_status_1(self, relay: Relay) -> None:
        second = run(relay.data, "serve")
        assert second.returncode == 1
        assert f"in use by another postroom (process {relay.process.pid})" in second.stderr
        assert second.stdout == ""
        with relay.smtp() as client:
            assert client.noop()[0] == 250
        assert json.loads((relay.data / "serve.json").read_text()) == relay.addresses

    def test_after_a_crash_it_starts_again(self, tmp_path: Path) -> None:
        with starting(tmp_path / "data") as relay:
            relay.kill()
        assert "no relay runs" in run(tmp_path / "data", "send", "--from", "a@b.c", "--to", "d@e.f").stderr
        with starting(tmp_path / "data") as relay:
            assert json.loads((relay.data / "serve.json").read_text()) == relay.addresses
            assert relay.stop() == 0

    @pytest.mark.parametrize(
        ("arguments", "settings", "said"),
        [
            (("--role", "postman"), {}, "postman"),
            ((), {"POSTROOM_SUBMISSION__MAX_SIZE": "huge"}, "submission.max_size"),
            (
                (),
                {"POSTROOM_SERVER__BOUNCE_HOST": "bad host"},
                "POSTROOM_SERVER__BOUNCE_HOST: server.bounce_host",
            ),
            (
                (),
                {"POSTROOM_DELIVERY__IPV4_SOURCE": "203.0.113.9"},
                "delivery.ipv4_source: 203.0.113.9 is no",
            ),
            (
                (),
                {"POSTROOM_TLS__CERTIFICATE": "/nowhere.crt", "POSTROOM_TLS__KEY": "/nowhere.key"},
                "/nowhere.crt",
            ),
        ],
    )
    def test_wrong_settings_end_with_status_2(
        self, tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str], said: str
    ) -> None:
        ended = run(tmp_path / "data", "serve", *arguments, settings=settings)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr

    @pytest.mark.parametrize("section", ["submission", "http"])
    def test_a_taken_port_names_the_setting(self, tmp_path: Path, section: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            settings = {f"POSTROOM_{section.upper()}__LISTEN": f"127.0.0.1:{taken.getsockname()[1]}"}
            ended = run(tmp_path / "data", "serve", settings=settings)
        assert ended.returncode in (1, 2)
        assert f"{section}.listen" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not (tmp_path / "data" / "serve.json").exists()

    def test_a_second_signal_ends_it_at_once(self, relay: Relay) -> None:
        user = relay.json("smtp-user", "add", DOMAIN, "--name", "slow")
        client = relay.smtp(user["username"], user["password"])
        client.mail(f"a@{DOMAIN}")
        client.rcpt("b@example.com")
        client.docmd("DATA")
        client.send("From: a\r\n")  # a message under way, for which the relay waits
        relay.process.send_signal(signal.SIGTERM)
        _until(lambda: "stopping" in relay.log, relay, "stopping")
        assert relay.stop(signal.SIGTERM) == 1
        client.close()

    def test_live_mail_under_a_poor_name_is_warned_of(self, tmp_path: Path) -> None:
        assert run(tmp_path / "data", "migrate").returncode == 0
        account = json.loads(run(tmp_path / "data", "account", "add", "A", "--json").stdout)["id"]
        run(tmp_path / "data", "domain", "add", "example.com", "--account", account, "--trusted")
        with starting(tmp_path / "data", settings={"POSTROOM_SERVER__HOSTNAME": "box"}) as relay:
            _until(lambda: "receivers will distrust this host name" in relay.log, relay, "the warning")
            assert "server.hostname" in relay.log

    def test_the_first_live_domain_of_a_running_relay_brings_the_warning(self, tmp_path: Path) -> None:
        said = "receivers will distrust this host name"
        with starting(tmp_path / "data", settings={"POSTROOM_SERVER__HOSTNAME": "box"}) as relay:
            account = relay.json("account", "add", "A")["id"]
            assert said not in relay.log
            for name in ("example.com", "example.org"):
                assert relay.command("domain", "add", name, "--account", account, "--trusted").returncode == 0
            _until(lambda: said in relay.log, relay, "the warning")
            assert relay.stop() == 0
            assert relay.log.count(said) == 1


class TestFirstRun:
    def test_the_card_is_private_and_the_welcome_arrives(self, shared: Relay) -> None:
        path = shared.data / "first-run.txt"
        assert _mode(path) == 0o600
        assert path.read_text().strip() in shared.log
        welcome = _arrives(shared, f"postroom@{DOMAIN}")
        assert welcome["subject"] == "Welcome to Postroom"
        shown = shared.json("inbox", "show", welcome["email_id"])
        assert "sandbox inbox" in shown["text"]
        story = shared.json("message", "show", welcome["message_id"])
        assert [email["status"] for email in story["emails"]] == ["delivered"]
        for secret in ("secret.key", "tls/ca.key", "tls/server.key", "postroom.db"):
            assert _mode(shared.data / secret) == 0o600
        assert _mode(shared.data) == 0o700

    @pytest.mark.parametrize(
        ("tool", "begin", "end"), [("python3", "python3 - <<'END'", "END"), ("swaks", "swaks ", "Hello")]
    )
    def test_the_commands_on_the_card_work(self, shared: Relay, tool: str, begin: str, end: str) -> None:
        need(tool)
        pasted = _pasted((shared.data / "first-run.txt").read_text(), begin, end)
        pasted = pasted.replace("hello@", f"{tool}@")
        done = subprocess.run(["bash", "-c", pasted], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert _arrives(shared, f"{tool}@{DOMAIN}")["subject"] == "Hello"

    def test_on_postgresql(self, tmp_path: Path, postgres_url: str) -> None:
        settings = {"POSTROOM_DATABASE__URL": postgres_url}
        with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
            _over(relay)
            assert relay.stop() == 0
        with starting(tmp_path / "data", "--first-run", settings=settings) as again:
            assert len(again.json("account", "list")) == 1
            assert again.stop() == 0

    def test_later_starts_keep_everything_and_point_to_the_card(self, relay: Relay) -> None:
        _over(relay)
        card = (relay.data / "first-run.txt").read_text()
        before = [relay.json(noun, "list") for noun in ("account", "domain", "user")]
        users = relay.json("smtp-user", "list")
        log = relay.log
        assert relay.stop() == 0
        with starting(relay.data, "--first-run") as again:
            assert [again.json(noun, "list") for noun in ("account", "domain", "user")] == before
            assert [user["id"] for user in again.json("smtp-user", "list")] == [user["id"] for user in users]
            assert (again.data / "first-run.txt").read_text() == card
            said = again.log[len(log) :]
            assert str(again.data / "first-run.txt") in said
            assert "Password" not in said
            assert len(again.json("inbox", "list")) == 1

    def test_killed_before_the_welcome_it_begins_again_with_the_same_card(self, tmp_path: Path) -> None:
        settings = {"POSTROOM_SUBMISSION__LISTEN": _free_port()}
        with starting(tmp_path / "data", "--first-run", settings=settings) as relay:
            relay.kill()
        card = (tmp_path / "data" / "first-run.txt").read_text()
        with starting(tmp_path / "data", "--first-run", settings=settings) as again:
            _over(again)
            words = [line for line in card.splitlines() if "Username" in line or "assword  " in line]
            assert all(line in (again.data / "first-run.txt").read_text() for line in words)
            assert len(again.json("account", "list")) == 1


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


class _Mailbox(socketserver.StreamRequestHandler):
    """A recipient's server: the local part says what happens to the mail."""

    def handle(self) -> None:
        self._say("220 mx.test ESMTP")
        for line in self.rfile:
            command = line.decode().strip()
            if command.upper() == "DATA":
                self._say("354 go ahead")
                while self.rfile.readline() != b".\r\n":
                    pass
                self._say("250 2.0.0 kept")
            elif command.upper().startswith("RCPT TO:<REFUSED"):
                self._say("550 5.1.1 no such mailbox")
            elif command.upper().startswith("RCPT TO:<LATER"):
                self._say("451 4.2.0 try later")
            elif command.upper().startswith("RCPT TO:<SILENT"):
                self.rfile.read()
            elif command.upper() == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """The relay went away in the middle: that is what some tests are about."""


@contextmanager
def _mailboxes() -> Iterator[int]:
    with _Server(("127.0.0.1", 0), _Mailbox) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A relay whose mail goes to `_Mailbox`, with the live domain example.com."""
    data = tmp_path_factory.mktemp("live") / "data"
    with _mailboxes() as port:
        routes = json.dumps([{"domain": "*", "host": "127.0.0.1", "port": port, "tls": "none"}])
        with starting(data, settings={"POSTROOM_DELIVERY__ROUTES": routes}) as relay:
            account = relay.json("account", "add", "Acme", "--approved")["id"]
            relay.json("domain", "add", "example.com", "--account", account, "--trusted")
            yield relay


def _send(relay: Relay, to: str, *more: str, sender: str = "ann@example.com", input: str = "") -> Any:
    arguments = ("send", "--from", sender, "--to", f"{to}@example.org", "--subject", "S", "--text", "T")
    return relay.command(*arguments, *more, "--json", input=input)


def _made_for_a_run(relay: Relay) -> list[Any]:
    return [user for user in relay.json("smtp-user", "list") if user["name"] == "postroom send"]


class TestSend:
    @pytest.mark.parametrize(
        ("to", "exit_status", "status"),
        [("bob", 0, "delivered"), ("refused", 1, "bounced"), ("later", 3, "deferred")],
    )
    def test_it_follows_the_message_to_its_end(
        self, live: Relay, to: str, exit_status: int, status: str
    ) -> None:
        done = _send(live, to)
        assert done.returncode == exit_status, done.stderr + live.log
        (recipient,) = json.loads(done.stdout)["recipients"]
        assert (recipient["recipient"], recipient["status"]) == (f"{to}@example.org", status)
        assert (recipient["next_attempt_at"] is not None) == (status == "deferred")
        assert _made_for_a_run(live) == []

    def test_several_recipients_fail_if_one_does(self, live: Relay) -> None:
        done = _send(live, "bob", "--to", "refused@example.org")
        statuses = {row["recipient"]: row["status"] for row in json.loads(done.stdout)["recipients"]}
        assert (done.returncode, statuses) == (
            1,
            {"bob@example.org": "delivered", "refused@example.org": "bounced"},
        )

    def test_for_people_it_shows_a_table(self, live: Relay) -> None:
        done = live.command("send", "--from", "ann@example.com", "--to", "bob@example.org", "--text", "T")
        assert done.returncode == 0
        assert "bob@example.org" in done.stdout
        assert "delivered" in done.stdout

    def test_the_time_is_up_before_the_end(self, live: Relay) -> None:
        done = _send(live, "silent", "--timeout", "0.2")
        assert done.returncode == 3, done.stderr
        assert json.loads(done.stdout)["recipients"][0]["status"] == "queued"

    def test_html_and_attachments(self, shared: Relay, tmp_path: Path) -> None:
        attached = tmp_path / "a.csv"
        attached.write_text("1,2\n")
        done = _send(shared, "bob", "--html", "<b>T</b>", "--attach", str(attached), sender=f"ann@{DOMAIN}")
        assert done.returncode == 0, done.stderr + shared.log
        (recipient,) = json.loads(done.stdout)["recipients"]
        shown = shared.json("inbox", "show", recipient["email_id"])
        assert (shown["text"].strip(), shown["html"].strip()) == ("T", "<b>T</b>")
        assert shown["attachments"][0]["name"] == "a.csv"

    def test_with_given_credentials_by_server(self, live: Relay) -> None:
        user = live.json("smtp-user", "add", "example.com", "--name", "app")
        server = ("--server", f"localhost:{live.port('implicit')}")
        done = _send(
            live, "bob", "--username", user["username"], "--password-stdin", *server, input=user["password"]
        )
        assert done.returncode == 0, done.stderr
        wrong = _send(live, "bob", "--username", user["username"], "--password-stdin", input="wrong")
        assert wrong.returncode == 1
        assert "535" in json.loads(wrong.stderr.splitlines()[-1])["error"]
        assert user["id"] in [listed["id"] for listed in live.json("smtp-user", "list")]

    def test_a_server_with_another_name_is_not_believed(self, live: Relay) -> None:
        done = _send(
            live, "bob", "--server", f"127.1:{live.port('implicit')}"
        )  # 127.0.0.1, by a name it has not
        assert (done.returncode, "certificate" in done.stderr) == (1, True)

    def test_a_refusal_is_told_in_the_relays_words(self, live: Relay) -> None:
        user = live.json("smtp-user", "add", "example.com", "--name", "app")
        login = ("--username", user["username"], "--password-stdin")
        done = _send(live, "bob", *login, sender="ann@example.net", input=user["password"])
        assert done.returncode == 1
        assert "[from-not-verified]" in done.stderr
        until(lambda: "from-not-verified" in [refused["rule"] for refused in live.json("refusals", "log")])

    def test_a_sender_nobody_here_has(self, live: Relay) -> None:
        done = _send(live, "bob", sender="ann@example.net")
        assert (done.returncode, "domain list" in done.stderr) == (1, True)

    @pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
    def test_interrupted_it_deletes_the_login_it_made(self, live: Relay, number: int, status: int) -> None:
        sending = _sending(live)
        try:
            assert sending.stderr is not None
            assert "accepted as" in sending.stderr.readline()
            assert len(_made_for_a_run(live)) == 1
            os.kill(sending.pid, number)
            _, said = sending.communicate(timeout=30)
        finally:
            sending.kill()
        assert (sending.returncode, "Traceback" in said) == (status, False)
        assert _made_for_a_run(live) == []

    def test_killed_its_login_ends_by_itself_and_a_later_run_sweeps_it(self, live: Relay) -> None:
        began = time.time()
        sending = _sending(live, "--timeout", "60")
        try:
            assert sending.stderr is not None
            assert "accepted as" in sending.stderr.readline()
        finally:
            sending.kill()
            sending.communicate()
        (left,) = _made_for_a_run(live)
        ends = datetime.fromisoformat(left["expires_at"]).timestamp()
        assert began + 60 < ends < time.time() + 60 + 3600
        assert _send(live, "bob").returncode == 0
        assert [user["id"] for user in _made_for_a_run(live)] == [
            left["id"]
        ]  # that run may still be under way
        with closing(sqlite3.connect(live.data / "postroom.db", timeout=30)) as database, database:
            database.execute("UPDATE smtp_users SET expires_at = 1 WHERE id = ?", (left["id"],))
        others = [user for user in live.json("smtp-user", "list") if user["id"] != left["id"]]
        assert _send(live, "bob").returncode == 0
        assert live.json("smtp-user", "list") == others


def _sending(relay: Relay, *more: str) -> subprocess.Popen[str]:
    """A `postroom send` that waits for its recipient's server."""
    arguments = ("send", "--from", "ann@example.com", "--to", "silent@example.org", *more)
    return subprocess.Popen(
        [sys.executable, "-m", "postroom", *arguments],
        env=environment(relay.data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background of a shell has this signal ignored, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def test_the_doctor_sees_the_relay_and_its_certificate(shared: Relay) -> None:
    done = shared.command("doctor", "--quick", "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)}
    assert found["relay"]["result"] == "ok"
    assert str(shared.port()) in found["relay"]["detail"]
    assert found["database durability"]["result"] == "ok"


def test_smtp_user_add_names_the_running_relay(shared: Relay) -> None:
    user = shared.json("smtp-user", "add", DOMAIN, "--name", "app")
    assert user["port"] == shared.port()
    with shared.smtp(user["username"], user["password"]) as client:
        assert client.noop()[0] == 250
    shared.json("smtp-user", "disable", user["id"])
