"""The one HTTP client for URLs that somebody else gave us: webhooks, and whatever else calls a customer's server.

Whoever may name a URL could make us reach what he cannot (SSRF: H09, H10). So:

- `url`      the URL is read strictly: what two programs read differently is refused, not repaired. A host that looks like
             a number must be an address in its usual form.
- `guard`    every address of the host is held against the one deny list (`runtime.addresses`); one that is forbidden
             is enough to refuse the host, however many others there are.
- `client`   connects to an address that was checked, never to a name, so an answer of the DNS that changes in between
             leads nowhere. TLS and Host use the name. Redirects are answers like others; nobody follows them.
- `memory`   the twin for tests: the same rules, no network.

Time and size of an answer are bounded as a whole. Nothing comes from the environment (no proxies), there are no
cookies, and an answer is never unpacked, so none can be a bomb. Each request has a connection of its own: one that
has been idle may be dead, and a webhook is not sent twice to find out.

Below is httpcore, the engine of httpx without what would have to be switched off here.
"""

from postroom.runtime.http_client.client import Answer, Fault, HttpClient, NoAnswer
from postroom.runtime.http_client.memory import MemoryHttpClient
from postroom.runtime.http_client.url import Target, UrlError, parse_url

__all__ = [
    "Answer",
    "Fault",
    "HttpClient",
    "MemoryHttpClient",
    "NoAnswer",
    "Target",
    "UrlError",
    "parse_url",
]
