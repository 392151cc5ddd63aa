"""SMTP as pure objects: both sides of the conversation, and the small grammars they share.

The server session (`server.ServerSession`) is fed bytes and gives events (`events`); its owner answers with `accept()`
or `refuse(Refused)` and sends `take_output()`. Rules it keeps by itself, whatever the owner does:

- replies are in order; after an event that waits nothing more is read until the answer (so pipelining is free);
- before TLS nothing works but EHLO, NOOP, QUIT and STARTTLS; after the handshake all that was before is forgotten;
- whoever sends on after STARTTLS, AUTH, DATA or HELO without waiting for the reply is closed on;
- only CRLF ends a command, only CRLF.CRLF ends data; what a refused line or message held never runs as a command;
- memory is bounded: a long command line is thrown away as it comes, content leaves in chunks;
- every refusal is an entry of types/refusals.py; what the session refuses by itself is told as `ProtocolRefusal`;
- what a client sent as its login is in no refusal, no repr and no log.

server.py       the session: states, answers, the table of commands
settings.py     the limits it keeps
events.py       what it tells its owner
command.py      command lines out of the stream
transaction.py  the arguments of MAIL and RCPT; address.py and parameters.py are their grammars (mailboxes: types/addresses.py)
sasl.py         AUTH PLAIN and LOGIN
data.py         message content out of the stream: unstuffed, normalised, checked
client.py       the other side: a session that delivers; reply_reader.py reads what the server answers
"""
