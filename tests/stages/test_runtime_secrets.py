"""runtime/secrets.py"""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from postroom.runtime.secrets import SecretBox, SecretError


@pytest.fixture
def box():
    return SecretBox(b"k" * 32)


def test_what_is_sealed_opens(box):
    sealed = box.seal(b"private", "dkim:1")
    assert b"private" not in sealed
    assert box.open(sealed, "dkim:1") == b"private"
    assert box.seal(b"private", "dkim:1") != sealed


def test_x01_a_sealed_value_opens_only_where_it_belongs(box):
    with pytest.raises(SecretError, match="belongs elsewhere"):
        box.open(box.seal(b"private", "dkim:1"), "dkim:2")


def test_every_changed_octet_is_noticed(box):
    sealed = box.seal(b"private", "here")
    for at in range(len(sealed)):
        with pytest.raises(SecretError):
            box.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], "here")
    for length in range(len(sealed)):
        with pytest.raises(SecretError):
            box.open(sealed[:length], "here")


def test_another_key_is_named_as_the_reason(box):
    with pytest.raises(SecretError, match=r"another key than /etc/secret\.key"):
        SecretBox(b"o" * 32, origin="/etc/secret.key").open(box.seal(b"private", "here"), "here")


def test_subkeys_differ_by_purpose_and_key(box):
    assert len(box.derive("verp")) == 32
    assert box.derive("verp") == SecretBox(b"k" * 32).derive("verp")
    assert box.derive("verp") not in (box.derive("links"), SecretBox(b"o" * 32).derive("verp"), b"k" * 32)


def test_the_key_file_is_made_once_and_private(tmp_path):
    path = tmp_path / "deep" / "secret.key"
    sealed = SecretBox.load(path, create=True).seal(b"private", "here")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SecretBox.load(path, create=True).open(sealed, "here") == b"private"
    assert SecretBox.load(path).open(sealed, "here") == b"private"
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_of_two_that_make_the_key_file_one_wins(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda _: SecretBox.load(tmp_path / "key", create=True), range(8)))
    assert len({box.derive("x") for box in boxes}) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "missing"), ("", "0"), ("not base64!", "no secret key"), ("c2hvcnQ=", "has 32 octets")],
)
def test_a_key_file_that_cannot_be_used(tmp_path, content, reason):
    path = tmp_path / "secret.key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SecretError, match=reason) as caught:
        SecretBox.load(path)
    assert str(path) in str(caught.value)


def test_a_key_path_that_is_a_directory(tmp_path):
    with pytest.raises(SecretError, match="cannot be used"):
        SecretBox.load(tmp_path, create=True)
