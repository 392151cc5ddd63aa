from __future__ import annotations

from support.process import relay as relay
