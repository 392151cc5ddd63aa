"""Stage 5: whom we tell. So far: the mail Postroom itself sends, to invite, to confirm, to warn.

    notice      a typed value (`types.notices`): what is to be told, and to whom
      -> letters    subject, text and HTML, from the files in `templates`
      -> mailer     who it comes from: `system.from`, or the sandbox until that is set up
      -> accept     the same rules, the same promise as for any other message (injected: stages never import each other)

Rules. A letter is one message to one person, with `Auto-Submitted`, and without tracking, pictures or anything else
that is fetched. Names and notes that customers wrote are shown as text, whatever they hold. A letter is kept before
`send` returns; whether somebody gets it is told by the events of its message, which belongs to an account of its own
(`tenancy.system_account`). Its link is shown on the screen, too, where the mail cannot leave yet.

    letters.py    a notice as subject, text and HTML
    mailer.py     SystemMailer
    memory.py     its twin for tests: keeps the notices
    templates/    one .txt (its first line is the subject) and one .html for each kind, and the frame around the HTML
"""

from postroom.notify.mailer import SystemMailer
from postroom.notify.memory import MemorySystemMail

__all__ = ["MemorySystemMail", "SystemMailer"]
