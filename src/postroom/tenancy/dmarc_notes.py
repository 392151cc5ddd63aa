"""What a DMARC record means for the mail that goes out here, in sentences (RFC 9989, and RFC 7489 before it)."""

from __future__ import annotations

from collections.abc import Iterator

_REMOVED = ("pct", "rf", "ri")


def is_policy(text: str) -> bool:
    """Whether receivers take it for a DMARC record: the version comes first, as it is written (RFC 7489 section 6.3)."""
    name, _, value = text.partition(";")[0].partition("=")
    return (name.strip(), value.strip()) == ("v", "DMARC1")


def tags(record: str) -> dict[str, str]:
    """`v=DMARC1; p=none` as a mapping, names and values in lower case."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _, value in pairs if name.strip()}


def notes(record: str, *, name: str, return_path_host: str) -> list[str]:
    """About the policy that holds for the domain `name`. `return_path_host` is "" while bounces go elsewhere."""
    return list(_notes(tags(record), name, return_path_host))


def _notes(said: dict[str, str], name: str, return_path_host: str) -> Iterator[str]:
    policy = said.get("p", "")
    if policy not in ("none", "quarantine", "reject"):
        yield "The DMARC record names no valid policy (p=), so receivers read it as p=none."
    if said.get("adkim") == "s":
        yield (
            f"adkim=s: signatures of {name} count for addresses at exactly {name}. Mail from a subdomain needs that "
            "subdomain as a domain of its own."
        )
    if said.get("aspf") == "s":
        yield (
            f"aspf=s: the return path is never exactly {name}, so SPF does not count for DMARC; the signature alone does."
        )
    elif not return_path_host:
        yield "The return path is not under this domain, so DMARC rests on the signature alone."
    old = [tag for tag in _REMOVED if tag in said]
    if old:
        yield f"RFC 9989 has removed {', '.join(old)}: newer receivers ignore it, and the policy holds for all mail."
    if said.get("t") == "y":
        yield "t=y: the policy is being tested; receivers apply the next weaker one."
