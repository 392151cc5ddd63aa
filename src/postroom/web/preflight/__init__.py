"""Preflight: what would become of a message, without keeping or sending anything. By HTTP and by SMTP.

    report     findings: which check, its verdict, what was seen, how to mend it
    rules      the rules of accept, each asked by itself; quota and suppressions
    composing  rendered, built and signed for each recipient; the signature verified with the key from the DNS
    records    the sender's DNS, and where the recipients' domains take mail
    preflight  `Preflight`: all of it

The rules. Every check says what it found, not only the first that fails; one that cannot be asked because another
failed (no content, no domain) is left out. `fail`: the message would be refused, or would reach nobody as it is;
`warn`: it would go out, and something about it may hurt. Nothing is counted, no state changes. Large content is in the
blob store while its checks run, and is deleted behind them.

By SMTP (`X-Postroom-Preflight: only`) the end of data is answered 554 and never 250: to a client 250 means that the
message is kept, and a relay that asks for us would drop its copy.
"""

from postroom.web.preflight.preflight import Parts, Preflight
from postroom.web.preflight.report import Finding, Report, Verdict

__all__ = ["Finding", "Parts", "Preflight", "Report", "Verdict"]
