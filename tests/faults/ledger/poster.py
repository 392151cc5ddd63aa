"""The sending side over HTTP: emails and bulk emails, with the same journal as the client's.

Every other request has an idempotency key and is sent again until it has an answer that counts, as the contract has
it: such a one is never in doubt, and never there twice. The others are sent once.
"""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any, Self

import httpx

from faults.ledger.client import PATIENCE, recipients
from faults.ledger.journal import Journal

FIRST = 2_000_000
"""Numbers below are the client's."""
EVERY_SINGLE, EVERY_LARGE = 3, 7
OBJECTS, OCTETS = 5, 1500
LARGE_OBJECTS, LARGE_OCTETS = 7, 90_000
"""Together several groups, and compressed still too much for the row: the batch lies in a file of its own."""
AGAIN = 0.2  # seconds until a request is repeated, or a batch is asked for again
_IN_DOUBT = (500, 502, 504)


def email(number: int, sender: str, octets: int) -> dict[str, Any]:
    """An object of the API that says itself what its body must be."""
    hexed = random.Random(number).randbytes(octets // 2).hex()
    lines = [hexed[at : at + 70] for at in range(0, len(hexed), 70)]
    proof = hashlib.sha256("".join(f"{line}\r\n" for line in lines).encode()).hexdigest()
    return {
        "from": {"email": sender},
        "to": [{"email": to} for to in recipients(number, "sink.test")],
        "subject": f"Number {number}",
        "text": "".join(f"{line}\n" for line in lines),
        "headers": [{"name": "X-Ledger", "value": f"{number} {proof}"}],
    }


class Poster:
    """One request after the other until it is left, or `paused`; to wherever `port` says the relay is.

    The journal has for an email what the client's has. For a batch: `to` (of all its objects) and `bulk` (after 202),
    `code` or neither; and from `resolve` on, for each of its objects, `to` and `id`.
    """

    def __init__(
        self, port: Callable[[], int], token: str, domain: str, journal: Journal, pause: float
    ) -> None:
        self._port = port
        self._headers = {"authorization": f"Bearer {token}"}
        self._sender = f"api@{domain}"
        self._journal = journal
        self._pause = pause
        self._numbers, self._keys = count(FIRST), count(1)
        self._unresolved: dict[str, list[list[str]]] = {}
        self._ended = threading.Event()
        self._going = threading.Event()
        self._going.set()
        self._busy = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._going.set()
        self._thread.join(2 * PATIENCE)

    def pause(self) -> None:
        """Send nothing more until `go`; returns when the request under way has its answer. The relay has to run."""
        self._going.clear()
        with self._busy:
            return

    def nudge(self) -> None:
        """A small batch wakes the worker, which then looks after those, too, that nobody works on any more."""
        with self._busy:
            self._request(1)

    def go(self) -> None:
        self._going.set()

    def resolve(self, looks: int) -> None:
        """Ask what became of the batches, and write down the ids of their messages. Those that are not completed after so
        many looks stay without."""
        for _ in range(looks):
            for bulk_id in list(self._unresolved):
                self._resolve_one(bulk_id)
            if not self._unresolved:
                return
            time.sleep(AGAIN)

    def _resolve_one(self, bulk_id: str) -> None:
        answer = httpx.get(f"{self._url}/bulk-email/{bulk_id}", headers=self._headers, timeout=PATIENCE)
        assert answer.status_code == 200, f"bulk {bulk_id}: {answer.status_code} {answer.text}"
        data = answer.json()["data"]
        if data["state"] != "completed":
            return
        objects = self._unresolved.pop(bulk_id)
        ids = data["messages_id"] or []
        if len(ids) == len(objects):  # else each of them is missing in the journal, and the judge says so
            for to, message_id in zip(objects, ids, strict=True):
                self._journal.write(to=to, id=message_id)

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self._port()}/v1"

    def _run(self) -> None:
        for turn in count(1):
            if self._ended.wait(self._pause):
                return
            self._going.wait()
            with self._busy:
                if self._going.is_set() and not self._ended.is_set():
                    self._request(turn)

    def _request(self, turn: int) -> None:
        single, large = turn % EVERY_SINGLE == 0, turn % EVERY_LARGE == 0
        number, octets = (LARGE_OBJECTS, LARGE_OCTETS) if large and not single else (OBJECTS, OCTETS)
        numbers = [next(self._numbers) for _ in range(1 if single else number)]
        objects = [email(one, self._sender, octets) for one in numbers]
        to = [[person["email"] for person in one["to"]] for one in objects]
        key = f"key-{next(self._keys)}" if turn % 2 else ""
        answer = self._answer(objects[0] if single else objects, key)
        fact: dict[str, Any] = {"to": [one for people in to for one in people]}
        if answer is not None and answer.status_code == 202:
            if single:
                fact["id"] = answer.headers["x-message-id"]
            else:
                fact["bulk"] = answer.json()["bulk_email_id"]
                self._unresolved[fact["bulk"]] = to
        elif answer is not None and answer.status_code not in _IN_DOUBT:
            fact |= {"code": answer.status_code, "reply": answer.text}
        self._journal.write(**fact)

    def _answer(self, body: Any, key: str) -> httpx.Response | None:
        """None when nobody knows."""
        path = "bulk-email" if isinstance(body, list) else "email"
        headers = self._headers | ({"idempotency-key": key} if key else {})
        while not self._ended.is_set():
            answer = None
            try:
                answer = httpx.post(f"{self._url}/{path}", json=body, headers=headers, timeout=PATIENCE)
            except httpx.HTTPError:
                if not key:
                    return None
            if answer is not None and (not key or answer.status_code < 409):
                return answer
            time.sleep(AGAIN)
        return None
