"""The tree of settings. Every field says what it is for: the reference is printed from here.

The tree itself is pure: only `load` looks at files and the environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import PydanticBaseSettingsSource as Source

from postroom.config.listen import Listen
from postroom.config.names import (
    CertificateName,
    DnsServer,
    Host,
    Label,
    MailDomain,
    Network,
    OptionalDatabaseUrl,
    OptionalHost,
    OptionalHostName,
    OptionalIpv4,
    OptionalMailbox,
    OptionalUrl,
    dns_server,
    mailbox,
)
from postroom.config.plans import Plan, PlanName
from postroom.config.values import DAY, HOUR, KIB, MIB, Duration, OptionalPath, Port, Section, Size
from postroom.types.parts import Mailbox

LONGEST_BOUNCE_HOST = 195
"""Characters: with our token before it an address of 254, the most there may be (RFC 5321 section 4.5.3.1.3)."""


class Database(Section):
    """Where everything is kept."""

    url: OptionalDatabaseUrl = Field(
        "",
        description="`sqlite:///path/file.db` or `postgresql://user:password@host/name`. "
        "Empty: `postroom.db` in the data directory.",
    )
    pool: int = Field(
        8, ge=1, le=200, description="Connections a node holds to PostgreSQL, or readers of SQLite."
    )
    timeout: Duration = Field(
        5.0, gt=0, description="How long accept waits for the database before it answers 451."
    )
    cache: Size = Field(
        128 * MIB,
        ge=4 * MIB,
        description="SQLite: the memory its page caches may take together: half for the connection that writes, half for "
        "those that read. It fills as the database grows.",
    )


class Server(Section):
    """Who we are, to other servers and to customers."""

    hostname: OptionalHostName = Field(
        "",
        description="The name in EHLO and Received, a resolvable FQDN whose address points "
        "back to it. Empty: the machine's name.",
    )
    smtp_host: OptionalHost = Field(
        "", description="The relay host shown to customers. Empty: `server.hostname`."
    )
    http_url: OptionalUrl = Field(
        "",
        description="Where people reach the web pages, like `https://postroom.example.com`; "
        "refusals then carry a link.",
    )
    bounce_host: OptionalHostName = Field(
        "",
        max_length=LONGEST_BOUNCE_HOST,
        description="The domain of return paths while a domain has none of its own.",
    )
    inbound_host: OptionalHostName = Field(
        "", description="The host name of the MX records for inbound mail."
    )
    tracking_host: OptionalHostName = Field(
        "", description="The host name that the tracking hosts of domains are aliases of (CNAME)."
    )
    contact: OptionalMailbox = Field(
        "",
        description="The operator's email address: shown to customers in refusals, told of what waits for a decision, "
        "and where answers to the mail of Postroom itself go.",
    )
    sign_up: Literal["closed", "approval"] = Field(
        "closed",
        description="Whether people make accounts by themselves: `closed`, or `approval`: whoever confirms an address "
        "may, and the account sends once an operator has approved it.",
    )

    @property
    def operator(self) -> Mailbox | None:
        """The mailbox of `contact`."""
        return mailbox(self.contact) if self.contact else None


class DomainDefaults(Section):
    """What a new domain starts with; each can be changed for the domain."""

    return_path_subdomain: Label = Field(
        "mta", description="Before the domain's name: where bounces come back."
    )
    custom_tracking_subdomain: Label = Field(
        "email", description="Before the domain's name: the host of tracked links."
    )
    inbound_routing_subdomain: Label = Field(
        "inbound", description="Before the domain's name: where inbound mail comes."
    )
    track_clicks: bool = Field(False, description="Count clicks.")
    track_opens: bool = Field(False, description="Count opens.")
    track_unsubscribe: bool = Field(False, description="Add a way to unsubscribe.")
    track_content: bool = Field(False, description="Keep the content of messages after they are delivered.")


class Domains(Section):
    """Sending domains."""

    spaces: int = Field(0, ge=0, description="How many domains an account may have; 0: no limit.")
    check_every: Duration = Field(
        float(DAY),
        ge=60,
        description="How often the DNS records of verified domains, and the policies of the domains of sender "
        "identities, are looked at again.",
    )
    grace: Duration = Field(
        72.0 * HOUR,
        ge=0,
        description="How long the records of a verified domain may be missing before sending from it is paused. After "
        "that another account may verify it.",
    )
    defaults: DomainDefaults = DomainDefaults()


class Http(Section):
    """The web server."""

    listen: Listen = Field(
        Listen(port=8025),
        description="Where the web server listens without TLS. The API answers there only clients on this machine "
        "and `http.trusted_proxies`.",
    )
    tls_listen: list[Listen] = Field(
        [], description="HTTPS listeners (443 in production), with the certificate of `[tls]`."
    )
    trusted_proxies: list[Network] = Field(
        [],
        description="Addresses or networks, like `10.0.0.0/8`, whose X-Forwarded-For and X-Forwarded-Proto are "
        "believed, and which may use the API without TLS.",
    )
    access_log: bool = Field(True, description="Log a line for each API request.")
    max_header: Size = Field(
        32 * KIB,
        ge=4 * KIB,
        description="Largest request line and header together, in octets; 100 fields at most.",
    )
    header_timeout: Duration = Field(
        30.0, gt=0, description="Time from connect, or the first octet, to the header's end."
    )
    body_timeout: Duration = Field(
        60.0, gt=0, description="Longest silence inside a body, or while an answer is taken."
    )
    min_data_rate: int = Field(
        500, ge=0, description="Octets per second a client must reach after 20 s of body."
    )
    idle_timeout: Duration = Field(60.0, gt=0, description="How long a connection without a request is kept.")
    connections: int = Field(2000, ge=1, description="Connections in all.")
    connections_per_address: int = Field(
        200,
        ge=1,
        description="Connections per client address (IPv6: per /64); trusted proxies may have more.",
    )


class Api(Section):
    """The HTTP API: what an account may ask of it, and the memory it may take.

    Limits per minute are counted by account, on each node; 0 means no limit.
    """

    requests_per_day: int = Field(
        0, ge=0, description="Daily quota of API requests for each account, until 00:00 UTC; 0: none."
    )
    count_smtp: bool = Field(
        False, description="A message accepted by SMTP counts as one of these requests, too."
    )
    email_per_minute: int = Field(120, ge=0, description="`POST /v1/email`.")
    bulk_per_minute: int = Field(10, ge=0, description="`POST /v1/bulk-email`.")
    activity_per_minute: int = Field(10, ge=0, description="Activity, and lists of emails.")
    verification_per_minute: int = Field(60, ge=0, description="Email verification.")
    other_per_minute: int = Field(60, ge=0, description="All other endpoints together.")
    suppressed_filter: bool = Field(
        True, description="Activity may be filtered by `suppressed` and `deferred`."
    )
    max_body: Size = Field(
        50 * MIB, ge=MIB, description="Largest body of a request that sends; of any other 1 MB."
    )
    bulk_emails: int = Field(500, ge=1, le=500, description="Most emails in one bulk request.")
    body_memory: Size = Field(
        256 * MIB,
        ge=16 * MIB,
        description="What the bodies under way may take together; one account may take half of it.",
    )


class Sessions(Section):
    """How long people stay signed in to the dashboard, and how much it may ask."""

    idle: Duration = Field(
        12.0 * HOUR, ge=60, description="A session that was not used for so long has ended."
    )
    lifetime: Duration = Field(
        7.0 * DAY, ge=60, description="So long after signing in it is over, however much it was used."
    )
    requests_per_minute: int = Field(
        600, ge=0, description="Requests of one person, on each node; 0 means no limit."
    )


class Submission(Section):
    """How applications hand over mail by SMTP, and the limits that protect the relay."""

    listen: list[Listen] = Field(
        [Listen(port=2525)], description="STARTTLS listeners (587 and 2525 in production)."
    )
    implicit_tls_listen: list[Listen] = Field(
        [Listen(port=2465)], description="TLS from the first byte (465)."
    )
    max_size: Size = Field(
        35 * MIB,
        ge=KIB,
        description="Largest message in octets as it travels (25 MB of attachments in base64).",
    )
    max_recipients: int = Field(1000, ge=1, description="Most recipients of one message.")
    max_line: int = Field(
        998, ge=78, le=998, description="Longest line of a message, without CRLF (RFC 5322)."
    )
    max_command: int = Field(4096, ge=512, description="Longest command line; longer ones are for AUTH only.")
    max_header_size: Size = Field(128 * KIB, ge=KIB, description="Largest header block in octets.")
    max_header_fields: int = Field(1000, ge=10, description="Most header fields.")
    max_hops: int = Field(30, ge=5, description="Most Received fields (loops).")
    max_errors: int = Field(
        20,
        ge=3,
        description="Mistakes on one connection before it is closed; from half of "
        "them on replies are delayed by a second.",
    )
    connections: int = Field(2000, ge=1, description="Connections in all.")
    connections_per_address: int = Field(
        200, ge=1, description="Connections per client address (IPv6: per /64)."
    )
    command_timeout: Duration = Field(300.0, gt=0, description="Time for each command.")
    login_timeout: Duration = Field(60.0, gt=0, description="Time from connect to login.")
    handshake_timeout: Duration = Field(30.0, gt=0, description="Time for the TLS handshake.")
    data_timeout: Duration = Field(180.0, gt=0, description="Longest silence inside message data.")
    min_data_rate: int = Field(
        500, ge=0, description="Octets per second a client must reach after 20 s of data."
    )
    failed_logins: int = Field(
        5,
        ge=1,
        description="Failed logins an address may have before it has to wait. "
        "Each failure beyond doubles the wait, up to 15 minutes.",
    )
    failed_logins_per_connection: int = Field(
        3, ge=1, description="Failed logins after which 421 closes the connection."
    )
    spool_above: Size = Field(
        256 * KIB, ge=64 * KIB, le=4 * MIB, description="Messages above this go to a file while they arrive."
    )


class Tls(Section):
    """The certificate of our listeners."""

    certificate: OptionalPath = Field(
        None,
        description="PEM file with the certificate chain. Empty: the first run's "
        "own certificate in the data directory. Reloaded when it changes.",
    )
    key: OptionalPath = Field(None, description="PEM file with the private key.")
    names: list[CertificateName] = Field([], description="More names for the first run's own certificate.")

    @model_validator(mode="after")
    def both_or_none(self) -> Tls:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("tls.certificate and tls.key belong together")
        return self


class Route(Section):
    """Mail for `domain` ("*": all) goes to this host instead of the MX."""

    domain: MailDomain
    host: Host
    port: Port = 25
    tls: Literal["none", "opportunistic", "required"] = "opportunistic"
    username: str = ""
    password: SecretStr = SecretStr("")


class Delivery(Section):
    """How mail leaves, how often it is tried, and how long."""

    routes: list[Route] = Field(
        [],
        description="Smarthosts: tables of domain, host, port, tls (`none`, "
        "`opportunistic`, `required`), username, password. The first match wins.",
    )
    allow_private: bool = Field(
        False, description="Connect to loopback and private addresses too (tests only)."
    )
    ipv4_source: OptionalIpv4 = Field(
        "", description="The local IPv4 address to send from. Empty: the system chooses."
    )
    ipv6: bool = Field(False, description="Connect to IPv6 addresses. Switch on only when the PTR is right.")
    retry: list[Annotated[Duration, Field(gt=0)]] = Field(
        [60.0, 300.0, 600.0, 1200.0, 2400.0, 4800.0, 7200.0, 14400.0],
        min_length=1,
        description="Waits between attempts; the last one repeats. Each is jittered by a quarter.",
    )
    lifetime: Duration = Field(
        72.0 * HOUR, gt=0, description="How long a message is tried before it expires."
    )
    concurrency: int = Field(100, ge=1, le=5000, description="Deliveries under way at once on one node.")
    connections_per_site: int = Field(3, ge=1, description="Connections to one MX site (routes: 20).")
    messages_per_connection: int = Field(
        20, ge=1, description="Messages on one connection to an MX (routes: 1000)."
    )
    in_memory: int = Field(20000, ge=100, description="Queue rows a node holds in memory.")
    lease: Duration = Field(60.0, ge=1, description="How long a silent node keeps its queue rows.")
    connect_timeout: Duration = Field(30.0, gt=0, description="Time to connect, and for a TLS handshake.")
    command_timeout: Duration = Field(300.0, gt=0, description="Time for a reply to EHLO, MAIL, RCPT.")
    data_timeout: Duration = Field(120.0, gt=0, description="Time for the reply to DATA.")
    block_timeout: Duration = Field(180.0, gt=0, description="Longest stall while the message is being sent.")
    dot_timeout: Duration = Field(
        600.0,
        gt=0,
        description="Time for the reply to the final dot (RFC 5321: 10 min; "
        "shorter makes duplicates, RFC 1047).",
    )
    idle_timeout: Duration = Field(10.0, gt=0, description="How long an idle connection is kept.")


class Dns(Section):
    """Where names are looked up."""

    servers: list[DnsServer] = Field(
        [], description="Resolvers, as address or address:port. Empty: the system's."
    )
    mx_port: Port = Field(25, description="The port of MX hosts (tests only).")
    timeout: Duration = Field(8.0, gt=0, description="Longest look-up, all tries together.")

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """IP address and port of each server."""
        return [dns_server(server) for server in self.servers]


class Outgoing(Section):
    """Requests to URLs that customers give, as webhooks. They go to public addresses only."""

    allow: list[Network] = Field(
        [],
        description="Addresses or networks that may be reached although they are not public or our own, like "
        "`127.0.0.1` while you develop or `10.1.2.0/24`. Every customer can then reach what listens there.",
    )
    allow_http: bool = Field(
        False, description="Take `http://`, too, where everybody on the way can read along."
    )
    ports: list[Port] = Field([443, 80, 8443], description="The ports that may be reached. Empty: all.")
    timeout: Duration = Field(
        3.0, gt=0, description="Time for a request, from the look-up to the end of the answer."
    )
    max_answer: Size = Field(MIB, ge=KIB, description="What is read of an answer at most, in octets.")


class Retention(Section):
    """How long things are kept."""

    content: Duration = Field(
        24.0 * HOUR,
        ge=0,
        description="How long a message's content is kept after its last recipient is final.",
    )
    sandbox: Duration = Field(30.0 * DAY, ge=0, description="How long the sandbox inbox keeps a message.")
    sandbox_messages: int = Field(1000, ge=1, description="Most messages a sandbox inbox keeps per domain.")
    events: Duration = Field(30.0 * DAY, ge=DAY, description="How long events and transcripts are kept.")
    emails: Duration = Field(90.0 * DAY, ge=DAY, description="How long messages and their emails are listed.")
    refusals: Duration = Field(30.0 * DAY, ge=DAY, description="How long refused attempts are listed.")
    every: Duration = Field(60.0, gt=0, description="How often what has been kept long enough is deleted.")


class Limits(Section):
    """What an account may send, unless it has its own limits."""

    messages_per_minute: int = Field(
        0, ge=0, description="Messages per minute and account, counted on each node; 0 means no limit."
    )
    daily_quota: int = Field(
        0, ge=0, description="Daily quota of emails for accounts without their own; 0: none."
    )
    over_quota: Literal["refuse", "hold"] = Field(
        "refuse",
        description="What happens beyond the quota: refuse with 451, or accept and hold until 00:00 UTC what fits into "
        "the next day's quota.",
    )


class System(Section):
    """Mail that Postroom itself sends."""

    sender: OptionalMailbox = Field(
        "",
        alias="from",
        description="Its From, like `Postroom <postroom@example.com>`, under a verified live domain of the "
        "installation. Until there is one such mail lies in a sandbox inbox, and links are shown on the screen.",
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @property
    def mailbox(self) -> Mailbox | None:
        return mailbox(self.sender) if self.sender else None


class Secrets(Section):
    """The key outside the database."""

    key_file: OptionalPath = Field(
        None,
        description="The key that encrypts private keys at rest. Nodes on one "
        "database share it. Empty: `secret.key` in the data directory.",
    )


class Log(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level to log.")
    format: Literal["auto", "json", "text"] = Field(
        "auto", description="`auto`: text on a terminal, else JSON."
    )


class Config(BaseSettings):
    """The whole tree. It is frozen: a running node never changes its settings."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="The data directory.")
    database: Database = Database()
    server: Server = Server()
    domains: Domains = Domains()
    http: Http = Http()
    api: Api = Api()
    sessions: Sessions = Sessions()
    submission: Submission = Submission()
    tls: Tls = Tls()
    delivery: Delivery = Delivery()
    dns: Dns = Dns()
    outgoing: Outgoing = Outgoing()
    retention: Retention = Retention()
    limits: Limits = Limits()
    plans: dict[PlanName, Plan] = {}
    system: System = System()
    secrets: Secrets = Secrets()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: Source, *_: Source, **__: Source
    ) -> tuple[Source, ...]:
        """Only what is passed in; `load` adds the environment and the file."""
        del settings_cls
        return (init_settings,)

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.data / 'postroom.db'}"

    @property
    def secret_key_file(self) -> Path:
        return self.secrets.key_file or self.data / "secret.key"
