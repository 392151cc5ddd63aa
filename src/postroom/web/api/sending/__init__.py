"""What somebody asks to send: from JSON to a checked `accept.api.SendRequest`, and from the outcome to the answer.

    read            the whole way in: `read(value, context)`, all wrong fields at once; or in two steps, `begin` and
                    `finish`, of which the second compiles the templates
      -> request      the fields, each by itself: shape, limits, words (pydantic; also the source of the OpenAPI schema)
      -> checks       what fields mean together and for this account: sender, recipients, content, template
      -> attachments  base64, size, type
      -> variables    personalization and the legacy variables
      -> headers      custom headers, references, list_unsubscribe, metadata
    answers         202 with or without warnings
    idempotency     the key of a request and the digest of its body
    named           whom a refused request was from and for

The rules. Requiredness is a check, for a template may bring what the request lacks: so every field can be read by
itself, and one that is wrong does not hide the others. A check looks only at fields that were found right. Nothing
here waits or asks anybody: what is needed from outside is in `Context`, so that a large body is read in a thread, and
so is a small one whose templates take long to compile, be they its own or stored ones.
"""
