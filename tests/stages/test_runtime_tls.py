"""runtime/tls.py and runtime/local_ca.py, with real handshakes in memory."""

import contextlib
import os
import shutil
import socket
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from structlog.testing import capture_logs

from postroom.config import Config
from postroom.errors import ConfigError
from postroom.runtime.clock import Clock, FakeClock
from postroom.runtime.local_ca import LOCAL_NAMES, ensure_certificate
from postroom.runtime.tls import Certificates, authority_file, certificate_files, server_context

DAY = 86400
NOW = 1_767_225_600_000


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def directory(tmp_path, clock):
    ensure_certificate(tmp_path / "tls", ["Mail.Example.com", "192.0.2.7", "bücher.example"], clock)
    return tmp_path / "tls"


def handshake(server, client, name="localhost"):
    """Both ends in memory. Returns the client's end; raises what the client raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(6):
        for end in (theirs, ours):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return theirs


def trusting(directory):
    context = ssl.create_default_context(cafile=directory / "ca.crt")
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def at(directory, name):
    return x509.load_pem_x509_certificate((directory / name).read_bytes())


@pytest.mark.parametrize("name", [*LOCAL_NAMES, socket.gethostname(), "mail.example.com", "192.0.2.7"])
def test_every_name_is_verified_with_the_authority(tmp_path, name):
    ensure_certificate(tmp_path, ["mail.example.com", "192.0.2.7"], Clock())
    server = server_context(tmp_path / "server.crt", tmp_path / "server.key")
    assert handshake(server, trusting(tmp_path), name).version() == "TLSv1.3"
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, trusting(tmp_path), "other.test")


def test_files_and_their_modes(directory):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {"ca.crt": 0o644, "ca.key": 0o600, "server.crt": 0o644, "server.key": 0o600}
    assert (directory / "server.crt").read_bytes().count(b"BEGIN CERTIFICATE") == 2


def test_lifetimes(directory):
    authority, server = at(directory, "ca.crt"), at(directory, "server.crt")
    assert (authority.not_valid_after_utc - authority.not_valid_before_utc).days == 3653
    assert (server.not_valid_after_utc - server.not_valid_before_utc).days == 825
    assert server.not_valid_before_utc.timestamp() * 1000 < NOW


def test_a_second_start_keeps_everything(directory, clock):
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    clock.advance(700 * DAY)
    ensure_certificate(directory, ["mail.example.com"], clock)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


@pytest.mark.parametrize("reason", ["old", "new name", "key lost", "key of another", "certificate broken"])
def test_the_certificate_is_issued_anew_under_the_same_authority(directory, tmp_path, clock, reason):
    authority, serial = (directory / "ca.crt").read_bytes(), at(directory, "server.crt").serial_number
    names = ["mail.example.com"]
    if reason == "old":
        clock.advance(800 * DAY)
    elif reason == "new name":
        names.append("relay.example.com")
    elif reason == "key lost":
        (directory / "server.key").unlink()
    elif reason == "key of another":
        ensure_certificate(tmp_path / "other", [], clock)
        shutil.copy(tmp_path / "other" / "server.key", directory / "server.key")
    else:
        (directory / "server.crt").write_text("broken")
    ensure_certificate(directory, names, clock)
    assert (directory / "ca.crt").read_bytes() == authority
    assert at(directory, "server.crt").serial_number != serial
    server_context(directory / "server.crt", directory / "server.key")


def test_an_authority_that_ends_is_replaced(directory, clock):
    subject = at(directory, "ca.crt").subject
    clock.advance(3640 * DAY)
    ensure_certificate(directory, [], clock)
    assert at(directory, "ca.crt").subject != subject
    assert at(directory, "server.crt").issuer == at(directory, "ca.crt").subject


def test_a_machine_whose_name_is_none_for_certificates(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Ann's laptop")
    ensure_certificate(tmp_path, ["mail.example.com"], clock)
    names = at(tmp_path, "server.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)[-1] == "mail.example.com"


def test_a_wildcard_is_a_name(tmp_path, clock):
    ensure_certificate(tmp_path, ["*.example.com"], clock)
    names = at(tmp_path, "server.crt").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "*.example.com" in names.get_values_for_type(x509.DNSName)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_s29_old_versions_are_refused(directory):
    server = server_context(directory / "server.crt", directory / "server.key")
    client = trusting(directory)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    client.set_ciphers("ALL:@SECLEVEL=0")
    client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(server, client)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(server, client).version() == "TLSv1.2"


def test_s29_weak_ciphers_are_refused(directory):
    server = server_context(directory / "server.crt", directory / "server.key")
    assert server.options & ssl.OP_NO_RENEGOTIATION
    assert server.options & ssl.OP_NO_COMPRESSION
    names = [cipher["name"] for cipher in server.get_ciphers()]
    assert all(name.startswith(("ECDHE-", "TLS_")) for name in names)
    assert not any(weak in name for name in names for weak in ("SHA1", "CBC", "RC4", "DES", "NULL"))


async def test_s29_a_renewed_certificate_comes_into_use(directory, clock):
    certificates = Certificates(directory / "server.crt", directory / "server.key")
    before = certificates.context
    assert await certificates.refresh() is False
    ensure_certificate(directory, ["new.example.com"], clock)
    assert await certificates.refresh() is True
    assert certificates.context is not before
    assert await certificates.refresh() is False


async def test_s29_broken_files_leave_the_old_context(directory, tmp_path, clock):
    certificates = Certificates(directory / "server.crt", directory / "server.key")
    before = certificates.context
    good = (directory / "server.key").read_bytes()
    ensure_certificate(tmp_path / "other", [], clock)
    with capture_logs() as logs:
        for content in (b"broken", (tmp_path / "other" / "server.key").read_bytes(), None):
            if content is None:
                (directory / "server.key").unlink()
            else:
                (directory / "server.key").write_bytes(content)
            assert await certificates.refresh() is False
            assert certificates.context is before
    assert [line["log_level"] for line in logs] == ["warning"] * 3
    (directory / "server.key").write_bytes(good)
    os.utime(directory / "server.key", ns=(1, 1))
    assert await certificates.refresh() is True


def test_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.crt"):
        Certificates(tmp_path / "missing.crt", tmp_path / "missing.key")


def test_an_encrypted_key_fails_instead_of_asking(directory, tmp_path):
    key = serialization.load_pem_private_key((directory / "server.key").read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(b"word")
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))
    with pytest.raises(ConfigError):
        Certificates(directory / "server.crt", tmp_path / "key")


def test_which_files(tmp_path):
    assert certificate_files(Config(data=tmp_path)) == (
        tmp_path / "tls" / "server.crt",
        tmp_path / "tls" / "server.key",
    )
    own = Config(tls={"certificate": tmp_path / "a", "key": tmp_path / "b"})
    assert certificate_files(own) == (tmp_path / "a", tmp_path / "b")
    assert authority_file(tmp_path) == tmp_path / "tls" / "ca.crt"
