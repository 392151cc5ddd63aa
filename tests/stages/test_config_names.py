"""config.names: in which forms hosts, addresses, URLs and mailboxes are taken, and what they become."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from postroom.config import Config, Delivery, Dns, Listen, Route, Server, System, Tls, settings
from postroom.config.names import LONGEST_URL
from postroom.types.addresses import MAX_MAILBOX, parse_mailbox
from postroom.types.envelope import Address
from postroom.types.parts import Mailbox
from postroom.wire import verp


def test_what_is_empty_stands_for_the_default() -> None:
    empty = Config(
        server=dict.fromkeys(
            ("hostname", "smtp_host", "http_url", "bounce_host", "inbound_host", "tracking_host", "contact"),
            "",
        ),
        database={"url": ""},
        delivery={"ipv4_source": ""},
        system={"from": ""},
    )  # type: ignore[arg-type]
    assert empty == Config()
    assert (empty.server.operator, empty.system.mailbox, empty.dns.addresses) == (None, None, [])


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("mail.example.com", "mail.example.com"),
        ("Mail.Example.COM", "mail.example.com"),
        ("mail.example.com.", "mail.example.com"),
        ("pöst.example", "xn--pst-sna.example"),
        ("localhost", "localhost"),
        ("4u.example", "4u.example"),
    ],
)
def test_host_names_become_lower_case_a_labels(text: str, name: str) -> None:
    assert Server(hostname=text, bounce_host=text) == Server(hostname=name, bounce_host=name)


@pytest.mark.parametrize(
    "text",
    [
        "bad host",
        "a..b",
        "-a.example",
        "a_b.example",
        "example.com..",
        ".",
        "x" * 64 + ".example",
        "192.0.2.1",
        "::1",
        "[192.0.2.1]",
        "mail.example.com:25",
        "a@b.example",
        "a\r\nb",
        "1.2.3",
        " mail.example.com",
    ],
)
def test_what_is_no_host_name(text: str) -> None:
    with pytest.raises(ValidationError, match=r"must be a host name, like mail\.example\.com"):
        Server(bounce_host=text)


def test_the_longest_bounce_host_leaves_room_for_our_token() -> None:
    longest = settings.LONGEST_BOUNCE_HOST
    host = ".".join(["h" * 48] * 4)[: longest - 2] + ".h"
    assert len(host) == longest == len(Server(bounce_host=host).bounce_host)
    token = verp.token(b"key", "0123456789abcdef", "0123456789abcdef01234567")
    sender = f"{verp.PREFIX}{token}@{host}"
    assert len(sender) == MAX_MAILBOX
    assert str(parse_mailbox(sender)) == sender


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("smarthost.example", "smarthost.example"),
        ("my_relay", "my_relay"),  # as containers are called
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_hosts_to_connect_to(text: str, host: str) -> None:
    assert Route(domain="*", host=text).host == Server(smtp_host=text).smtp_host == host


def test_routes_are_for_domains_as_recipients_have_them() -> None:
    assert Route(domain="MÜNCHEN.example", host="h").domain == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("text", ["", "a b", "a:b", "smarthost.example:25", "[::1]", "*"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(ValidationError, match="must be a host name or an IP address"):
        Route(domain="*", host=text)
    with pytest.raises(ValidationError, match="must be a host name or an IP address"):
        Listen.model_validate({"host": text, "port": 0})


@pytest.mark.parametrize("name", ["mail.example.com", "*.example.com", "192.0.2.7", "::1", "my_relay"])
def test_names_of_a_certificate(name: str) -> None:
    assert Tls(names=[name]).names == [name]


@pytest.mark.parametrize("name", ["", "*", "*.", "a.*.example", "not a name", "*.192.0.2.1"])
def test_what_is_no_name_of_a_certificate(name: str) -> None:
    with pytest.raises(ValidationError, match="must be a host name"):
        Tls(names=[name])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_forms_of_dns_servers(text: str, address: tuple[str, int]) -> None:
    servers = Dns(servers=[text])
    assert (servers.servers, servers.addresses) == ([text], [address])


@pytest.mark.parametrize(
    "text",
    ["localhost", "127.0.0.1:x", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:", "[::1", "", ":53", "::1:²"],
)
def test_what_is_no_dns_server(text: str) -> None:
    with pytest.raises(ValidationError, match="must be an IP address or address:port"):
        Dns(servers=[text])


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8025",
        "https://postroom.example.com",
        "https://Mail.example.com/x/",
        "http://[::1]:80",
        "http://my_relay",
        f"https://a.example/{'x' * (LONGEST_URL - 18)}",
    ],
)
def test_urls(text: str) -> None:
    assert Server(http_url=text).http_url == text


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "foo.example",
        "ftp://a.example",
        "https://",
        "https:///x",
        "https://a b.example",
        "https://a.example:0",
        "https://a.example:70000",
        "https://a.example?x=1",
        "https://a.example/#x",
        "https://u:p@a.example",
        "https://pöst.example",
        "https://a.example/\r\nx",
        f"https://a.example/{'x' * (LONGEST_URL - 17)}",
    ],
)
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(ValidationError, match=r"must be a URL like https://postroom\.example\.com"):
        Server(http_url=text)


def test_mailboxes_stay_as_they_are_written() -> None:
    system = System.model_validate({"from": '"Post, Room" <postroom@Example.com>'})
    assert system.sender == '"Post, Room" <postroom@Example.com>'
    assert system.mailbox == Mailbox("Post, Room", Address("postroom", "example.com"))
    assert Server(contact="ann@example.com").operator == Mailbox("", Address("ann", "example.com"))


@pytest.mark.parametrize(
    "text", ["nobody", "a@b.test, c@d.test", " ", "a@b.test\nx", "team:;", "<a@b.test", f"{'x' * 65}@b.test"]
)
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(ValidationError, match="email address"):
        Server(contact=text)


@pytest.mark.parametrize(
    "text", ["abc", "192.0.2", "192.0.2.1/24", "::1", "0.0.0.0", "224.0.0.1", " 192.0.2.1"]
)
def test_what_is_no_address_to_send_from(text: str) -> None:
    with pytest.raises(ValidationError, match=r"must be (an|the) IPv4 address"):
        Delivery(ipv4_source=text)


@pytest.mark.parametrize("url", ["sqlite:///a b/postroom.db", "postgresql://u:p%40@[::1]:5433/x?ssl=require"])
def test_urls_of_databases(url: str) -> None:
    assert Config(database={"url": url}).database_url == url  # type: ignore[arg-type]
