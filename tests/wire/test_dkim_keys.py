"""Keys of the DKIM signer, and how their public halves are published."""

from __future__ import annotations

from base64 import b64decode

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from postroom.wire.dkim_keys import dns_record, load_private_key, private_bytes, public_base64
from support.dkim import ed25519_key, private_key

RSA_512 = (
    "MIIBVQIBADANBgkqhkiG9w0BAQEFAASCAT8wggE7AgEAAkEAp23o3JOxoYYxAG1U3LGU1axVTmxQT64LS18ZVJSwiJ6QaWOLaeF8"
    "QYY3E4NG8ItvrMDc4FKUnNKUFCQc2wHPRQIDAQABAkBtLc7bh7QdkFQD40ejYmmbrHU0Xo1AaE4VKD5sWUmEzFLgWnjLG894/rh5"
    "xW/QPqmc/GOxEOzEA0dwhbnHEowBAiEA3XCamd/KfljL0EJq9B9S9PJxeZI0sCvka2GD4DHStvUCIQDBj19EsuRSm0v68O2FAXB9"
    "PuwvX2/aJ/4Yq0NNW2FlEQIhAKZsCGT4whCu346HPCZ4nDonM40wipSUiDkDsr798uU5AiBrPhujvZZBqqebXtfK5LRFwJIt4Svg"
    "7F2dn25HswSwcQIhAI6GyilgmrPTdN6KqM2RCElh+XspZr7ysNYRy8UOfqqL"
)
DER = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize("trusted", [True, False])
def test_keys_are_read_back(trusted: bool) -> None:
    for key in (private_key(), ed25519_key()):
        for octets in (private_bytes(key), key.private_bytes(*DER)):
            assert public_base64(load_private_key(octets, trusted=trusted)) == public_base64(key)


def test_a_new_rsa_key_has_2048_bits() -> None:
    assert private_key().key_size == 2048
    assert private_key().public_key().public_numbers().e == 65537


def test_k05_the_record_of_an_rsa_key_is_read_by_dkimpy() -> None:
    record = dns_record(public_base64(private_key()))
    assert record.startswith("v=DKIM1; k=rsa; p=MIIBIjANBgkqhki")
    _, bits, kind, _ = dkim.load_pk_from_dns(
        b"s1._domainkey.example.com.", dnsfunc=lambda *_, **__: record.encode()
    )
    assert (bits, kind) == (2048, b"rsa")


def test_the_record_of_rfc_8463() -> None:
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = public_base64(Ed25519PrivateKey.from_private_bytes(seed))
    assert (
        dns_record(public, "ed25519") == "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    )


def test_k05_other_keys_are_refused() -> None:
    pem = private_bytes(private_key())
    protected = private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(*DER)
    for octets in (b"", b"no key", pem[:200], protected, curve):
        with pytest.raises(ValueError):
            load_private_key(octets, trusted=False)


def test_k05_short_rsa_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="1024 bits"):
        load_private_key(b64decode(RSA_512), trusted=True)
