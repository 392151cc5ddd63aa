"""PURE protocols and codecs: bytes (and a clock) in, events and bytes out.

Rules: no IO, no await, no clock of its own, no policy. Whoever owns the socket feeds the bytes and does what the
events say. Because of that every codec here is tested byte by byte, at every split, without a network.

smtp/   the server session and the client session, addresses, parameters, logins, the data scanner
mime/   the strict reader of raw messages: fields are found in the bytes, nothing is ever re-serialised; mime/build
        makes messages of typed parts
template/  personalization: MailerSend's subset of Twig, from source to text
dkim    signatures over what the reader found; dkim_keys makes and reads the keys
verp    return-path tokens: which email came back, and proof that we sent it
bounce  whether a refusal says that the address is gone
webhooks  requests to webhooks and their signature
"""
