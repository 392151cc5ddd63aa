"""The reader of raw messages: what a customer sent stays byte for byte.

A header is found in the bytes, field by field, and never parsed and written again: generators turn control characters
into line ends (S12), drop fields they do not understand and change what somebody signed. Who wants a field gone leaves
its bytes out, who wants one more puts its bytes in front.

Rules: strict where two programs could read the same bytes in two ways (S11): such a header is a problem, a value that
says which line and why, and the edge refuses the message. Every reader takes time in proportion to its input and never
recurses (M12). Nothing decoded is ever used to decide anything; decoding is for people's eyes (M06).

    header.py         a header block as fields: raw bytes, name, value; which fields are there more than once
    addresses.py      the address lists of From, Sender, To ...; the addr-spec itself is read by types/addresses.py
    encoded_words.py  RFC 2047 for display: allowed charsets only, controls stripped, cut
    parameters.py     the parameters of Content-Type and Content-Disposition, RFC 2231 included
    reading.py        a whole message taken apart for people: texts, attachments, where they lie in the bytes
    message_id.py     what a Message-ID must look like
    date.py           the date-time of header fields
    media_types.py    attached files: which are taken, and whether they are what their names say
    build/            the other way round: messages made of typed parts
"""
