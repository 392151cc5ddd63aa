"""One tree of typed settings, from flags, the environment and a TOML file; the first that says something wins.

The environment is `POSTROOM_SECTION__NAME`: plain text, lists with commas or as JSON, tables as JSON. The file is
`--config`, else `POSTROOM_CONFIG`, else `postroom.toml` in the data directory, if it is there. Unknown keys and wrong
values are refused, all at once, each as "file or variable: key: reason".

- `settings`     the sections with their defaults and descriptions
- `plans`        one of them: what accounts on a plan may do
- `values`       what they are made of: durations, sizes, ports
- `names`        hosts, addresses, URLs, mailboxes
- `listen`       addresses to listen on
- `environment`  variables as a tree of values
- `load`         the sources merged, and their faults told in words
- `reference`    the documentation printed from the tree, and the tree of a running node with secrets hidden
"""

from postroom.config.listen import Listen
from postroom.config.load import load
from postroom.config.plans import Plan
from postroom.config.reference import reference, show
from postroom.config.settings import (
    Api,
    Config,
    Database,
    Delivery,
    Dns,
    DomainDefaults,
    Domains,
    Http,
    Limits,
    Log,
    Outgoing,
    Retention,
    Route,
    Secrets,
    Server,
    Sessions,
    Submission,
    System,
    Tls,
)
from postroom.config.values import Section

__all__ = [
    "Api",
    "Config",
    "Database",
    "Delivery",
    "Dns",
    "DomainDefaults",
    "Domains",
    "Http",
    "Limits",
    "Listen",
    "Log",
    "Outgoing",
    "Plan",
    "Retention",
    "Route",
    "Secrets",
    "Section",
    "Server",
    "Sessions",
    "Submission",
    "System",
    "Tls",
    "load",
    "reference",
    "show",
]
