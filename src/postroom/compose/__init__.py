"""Stage 2: how a stored message becomes the signed bytes that go over the wire.

    stored   what was accepted: content as it lies in the database, and what was fixed at accept
      -> composer   has it been composed already, is it being composed, which key signs
      -> signer     off the event loop, in small batches on two threads
      -> compose    the named steps: read the header, remove what is private, add trace and identity, sign

The rules. Content is never parsed and written again: fields are cut out of the header and put before it, the body
stays byte for byte, and so does a signature the client made itself (K08). Signing is the last step, so what is signed
is what is sent (K07). Everything but the signature's time was fixed at accept: composing a message once more gives the
same bytes. The result does not depend on the recipient, so all recipients of a message and its retries share one
(`lru`). A message is never sent without a signature: if its domain has no key it waits, and the operator is told.

Personalised content (from the API) is the exception: it is templates, and each recipient has a message of its own. The
top is rendered and built, the stored tail with the attachments follows as it is, and from there on the steps are the
same. Rendering again gives the same bytes, too.

Nothing raises for what can happen to a message: `Composer.compose` and `compose_for` return Composed, or Uncomposed with
the reply that says why not.

    compose.py      Stored, Uncomposed and the steps
    personal.py     one recipient's message out of personalised content
    received.py     our Received field
    return_path.py  the envelope sender of one email
    keys.py         each domain's key, parsed once
    signer.py       batches on threads
    composer.py     the parts put together
    lru.py          a bounded cache
    source.py       a stored message in one piece, for people
"""

from postroom.compose.compose import Stored, Uncomposed
from postroom.compose.composer import Composer
from postroom.compose.keys import KeyMaterial, Keys
from postroom.compose.return_path import return_path
from postroom.compose.source import read_source

__all__ = ["Composer", "KeyMaterial", "Keys", "Stored", "Uncomposed", "read_source", "return_path"]
