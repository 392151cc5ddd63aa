"""An address to listen on, as text or as a table."""

from __future__ import annotations

from pydantic import Field, model_serializer, model_validator

from postroom.config.names import Host
from postroom.config.values import Section


class Listen(Section):
    """An address to listen on. Port 0 lets the system choose."""

    host: Host = "127.0.0.1"
    port: int = Field(ge=0, le=65535)

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        host, colon, port = value.rpartition(":")
        if not colon or not port.isdigit():
            raise ValueError('must be "host:port", for example "127.0.0.1:2525" or "[::]:587"')
        return {"host": host.strip("[]") or "0.0.0.0", "port": int(port)}  # noqa: S104 - an empty host means all

    @model_serializer
    def to_text(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
