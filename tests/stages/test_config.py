"""config/: what holds when flags, variables and a file disagree, and what is said about faults."""

import os
from pathlib import Path
from typing import get_args, get_origin

import pytest

from postroom import config as settings
from postroom.config import Config, Listen, load
from postroom.errors import ConfigError

BAD = sorted((Path(__file__).parent.parent / "bad-config").glob("*.toml"))


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    """No variable and no file of the machine the tests run on."""
    for name in [name for name in os.environ if name.startswith("POSTROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def written(tmp_path, text):
    path = tmp_path / "relay.toml"
    path.write_text(text)
    return path


def with_variables(monkeypatch, **variables):
    for name, value in variables.items():
        monkeypatch.setenv(f"POSTROOM_{name}", value)
    return load()


def fault(monkeypatch, **variables):
    with pytest.raises(ConfigError) as caught:
        with_variables(monkeypatch, **variables)
    return str(caught.value)


def test_defaults_need_nothing():
    config = load()
    assert settings.show(config) == settings.show(Config())
    assert config.database_url == "sqlite:///data/postroom.db"
    assert config.secret_key_file == Path("data/secret.key")


def test_the_tree_itself_never_looks_at_the_environment(monkeypatch):
    monkeypatch.setenv("POSTROOM_DATA", "elsewhere")
    assert Config().data == Path("data")


def test_flags_go_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    file = written(
        tmp_path, 'data = "from-file"\n[submission]\nmax_size = "1MB"\nmax_hops = 7\n[log]\nlevel = "debug"'
    )
    assert load(file).data == Path("from-file")
    monkeypatch.setenv("POSTROOM_DATA", "from-environment")
    monkeypatch.setenv("POSTROOM_SUBMISSION__MAX_SIZE", "2MB")
    config = load(file)
    assert config.data == Path("from-environment")
    assert (config.submission.max_size, config.submission.max_hops) == (2 * 1024 * 1024, 7)
    assert (config.log.level, config.submission.max_errors) == ("debug", 20)
    assert load(file, data=Path("from-flag")).data == Path("from-flag")


def test_the_file_is_found_in_the_data_directory_or_by_its_variable(tmp_path, monkeypatch):
    (tmp_path / "postroom.toml").write_text('[server]\nhostname = "in-data.example"')
    other = written(tmp_path, '[server]\nhostname = "named.example"')
    assert load(data=tmp_path).server.hostname == "in-data.example"
    monkeypatch.setenv("POSTROOM_DATA", str(tmp_path))
    assert load().server.hostname == "in-data.example"
    monkeypatch.setenv("POSTROOM_CONFIG", str(other))
    assert load().server.hostname == "named.example"
    assert load(tmp_path / "postroom.toml").server.hostname == "in-data.example"


def test_a_named_file_has_to_be_there(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.toml: cannot be read: No such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad_files_are_told_in_words(path):
    expected = path.read_text().splitlines()[0].removeprefix("# ")
    with pytest.raises(ConfigError) as caught:
        load(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: {expected}")


def test_every_fault_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("POSTROOM_DNS__TIMEOUT", "soon")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, '[log]\nlevel = "loud"\n[http]\nport = 1'))
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert sum(line.startswith(f"{tmp_path / 'relay.toml'}: ") for line in lines) == 2
    assert "POSTROOM_DNS__TIMEOUT: dns.timeout: must be a duration like 90s, 15m, 72h or 30d" in lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:0", [("127.0.0.1", 0)]),
        ("127.0.0.1:0,127.0.0.1:1", [("127.0.0.1", 0), ("127.0.0.1", 1)]),
        ("[::1]:587, :2525", [("::1", 587), ("0.0.0.0", 2525)]),
        ('["127.0.0.1:5", "[::]:6"]', [("127.0.0.1", 5), ("::", 6)]),
        ('[{"host": "::1", "port": 7}]', [("::1", 7)]),
        ("", []),
        ("[]", []),
    ],
)
def test_lists_of_listeners_in_the_environment(monkeypatch, text, expected):
    listeners = with_variables(monkeypatch, SUBMISSION__LISTEN=text).submission.listen
    assert [(listen.host, listen.port) for listen in listeners] == expected


@pytest.mark.parametrize("text", ["127.0.0.1:0", '{"host": "127.0.0.1", "port": 0}'])
def test_a_listener_in_the_environment(monkeypatch, text):
    assert with_variables(monkeypatch, HTTP__LISTEN=text).http.listen == Listen(port=0)


def test_other_kinds_of_values_in_the_environment(monkeypatch):
    config = with_variables(
        monkeypatch,
        DELIVERY__RETRY="1s,2m, 3h",
        DELIVERY__IPV6="true",
        DELIVERY__ROUTES='[{"domain": "*", "host": "127.0.0.1", "port": 26, "password": "secret"}]',
        DNS__SERVERS="127.0.0.1:53,[::1]:53",
        SUBMISSION__SPOOL_ABOVE="64k",
        SYSTEM__FROM="postroom@example.com",
        TLS__NAMES="a.example",
        TLS__CERTIFICATE="",
        LOG__LEVEL="warning",
    )
    assert config.delivery.retry == [1.0, 120.0, 10800.0]
    assert config.delivery.ipv6 is True
    assert config.delivery.routes[0].port == 26
    assert config.delivery.routes[0].password.get_secret_value() == "secret"
    assert config.dns.servers == ["127.0.0.1:53", "[::1]:53"]
    assert config.submission.spool_above == 65536
    assert config.system.sender == "postroom@example.com"
    assert (config.tls.names, config.tls.certificate) == (["a.example"], None)
    assert config.log.level == "warning"


def test_what_the_examples_for_clients_export_is_no_setting(monkeypatch):
    monkeypatch.setenv("POSTROOM_API", "http://localhost:8025/v1")
    monkeypatch.setenv("POSTROOM_TOKEN", "mlsn.0")
    assert load().api == Config().api


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SUBMISSION__MAX_SISE", "1", "submission.max_sise: unknown key, did you mean submission.max_size?"),
        ("POSTAGE__STAMP", "1", "postage.stamp: unknown key"),
        ("SERVER", "x", "server: unknown key"),
        ("SERVER__", "x", "server.: unknown key"),
        ("DATA__BASE", "x", "data.base: unknown key"),
        ("SUBMISSION__LISTEN", "localhost", 'submission.listen[0]: must be "host:port"'),
        ("SUBMISSION__LISTEN", '["127.0.0.1:1"', "submission.listen: is not valid JSON:"),
        ("HTTP__LISTEN", '{"port": ', "http.listen: is not valid JSON:"),
        ("DELIVERY__ROUTES", "smarthost:25", "delivery.routes: is not valid JSON:"),
        ("DELIVERY__ROUTES", '[{"host": "x"}]', "delivery.routes[0].domain: is missing"),
        ("DELIVERY__ROUTES", "5", "delivery.routes: must be a list"),
        ("DELIVERY__RETRY", "60,later", "delivery.retry[1]: must be a duration"),
        ("DATABASE__POOL", "many", "database.pool: Input should be a valid integer"),
        ("DATABASE__POOL", "", "database.pool: Input should be a valid integer"),
        ("DATABASE__URL", "postgres://localhost/x", "database.url: postgres is not supported; use sqlite or"),
        ("SERVER__BOUNCE_HOST", "bad host", "server.bounce_host: must be a host name, like mail.example.com"),
        ("DELIVERY__IPV4_SOURCE", "abc", "delivery.ipv4_source: must be an IPv4 address, like 192.0.2.1"),
        ("DELIVERY__ROUTES", '[{"domain": "*", "host": ""}]', "delivery.routes[0].host: must be a host name"),
        ("DNS__SERVERS", "127.0.0.1,zzz", "dns.servers[1]: must be an IP address or address:port"),
        ("SYSTEM__FROM", "nobody", "system.from: is no email address"),
        ("TLS__NAMES", "a b", "tls.names[0]: must be a host name or an IP address"),
        ("HTTP__LISTEN", "*:80", "http.listen.host: must be a host name or an IP address"),
        ("TLS__KEY", "/key.pem", "tls: tls.certificate and tls.key belong together"),
    ],
)
def test_faults_in_the_environment_name_the_variable(monkeypatch, name, value, expected):
    assert fault(monkeypatch, **{name: value}).startswith(f"POSTROOM_{name}: {expected}")


def test_several_faults_in_the_environment(monkeypatch):
    assert len(fault(monkeypatch, A__B="1", C__D="2").splitlines()) == 2


def test_switches_of_the_test_suite_are_no_settings(monkeypatch):
    assert with_variables(monkeypatch, TEST_APT="1", TEST_ANYTHING="x").model_dump() == Config().model_dump()


def test_plans_in_the_environment_and_the_file(tmp_path, monkeypatch):
    file = written(tmp_path, "[plans.small]\ndomains = 3\nusers = 2\n[plans.large-1]")
    monkeypatch.setenv("POSTROOM_PLANS__SMALL__USERS", "5")
    monkeypatch.setenv("POSTROOM_PLANS__TINY__OVER_QUOTA", "hold")
    plans = load(file).plans
    assert sorted(plans) == ["large-1", "small", "tiny"]
    assert (plans["small"].domains, plans["small"].users, plans["tiny"].over_quota) == (3, 5, "hold")
    assert set(plans["large-1"].model_dump().values()) == {None}
    assert "[plans.NAME]" in settings.reference()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SMALL__DOMANS", "1", "plans.small.domans: unknown key, did you mean plans.small.domains?"),
        ("SMALL", "1", "plans.small: unknown key"),
        ("SMALL__DOMAINS", "-1", "plans.small.domains: Input should be greater than or equal to 0"),
        ("S!__DOMAINS", "1", "plans.s!: must be lower-case letters, digits"),
    ],
)
def test_faults_of_plans(monkeypatch, name, value, expected):
    assert fault(monkeypatch, **{f"PLANS__{name}": value}).startswith(f"POSTROOM_PLANS__{name}: {expected}")


def test_secrets_are_not_shown(monkeypatch):
    config = with_variables(
        monkeypatch,
        DELIVERY__ROUTES='[{"domain": "*", "host": "127.0.0.1", "password": "canary"}]',
        DATABASE__URL="postgresql://postroom:canary@db.example.com/postroom",
    )
    shown = settings.show(config)
    assert "canary" not in str(shown)
    assert "canary" not in repr(config.delivery)
    assert shown["database"]["url"] == "postgresql://postroom:********@db.example.com/postroom"
    assert shown["http"]["listen"] == "127.0.0.1:8025"
    assert shown["system"] == {"from": ""}


def test_what_is_shown_can_be_loaded_again():
    values = settings.show(Config())
    assert Config(**values) == Config()


def number_of_settings(tree):
    kinds = [field.annotation for field in tree.model_fields.values()]
    kinds = [get_args(kind)[1] if get_origin(kind) is dict else kind for kind in kinds]
    sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, settings.Section)]
    inner = [section for section in sections if section is not settings.Listen]
    return len(kinds) - len(inner) + sum(map(number_of_settings, inner))


def test_the_reference_has_every_setting():
    text = settings.reference()
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == number_of_settings(Config)
    assert any(row.startswith("| `http_url` | URL | empty | `POSTROOM_SERVER__HTTP_URL` | ") for row in rows)
    assert "| `servers` | list of IP addresses, perhaps with a port | none |" in text
    assert "| `max_line` | integer, 78 to 998 | `998` |" in text
    assert "| `implicit_tls_listen` | list of host:port | `127.0.0.1:2465` |" in text
    assert "None" not in text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("1.5h", 5400), ("30d", 2592000), ("500ms", 0.5)],
)
def test_durations(monkeypatch, text, seconds):
    assert with_variables(monkeypatch, DELIVERY__LIFETIME=text).delivery.lifetime == seconds


@pytest.mark.parametrize(
    ("text", "octets"), [("2048", 2048), ("256k", 262144), ("1.5 MB", 1572864), ("1g", 1073741824)]
)
def test_sizes(monkeypatch, text, octets):
    assert with_variables(monkeypatch, SUBMISSION__MAX_SIZE=text).submission.max_size == octets
