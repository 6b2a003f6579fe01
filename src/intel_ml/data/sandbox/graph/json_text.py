"""JSON as bytes, by the fastest library there is.

Reads   plain values.
Gives   compact UTF-8 bytes; the same values give the same bytes with either library.
Never   writes NaN.
"""

from __future__ import annotations

import json
from typing import Any

try:
    import orjson

    def dumps(value: object) -> bytes:
        """Return `value` as JSON."""
        return orjson.dumps(value)

    def loads(text: str | bytes) -> Any:
        """Return what JSON text stands for."""
        return orjson.loads(text)

except ImportError:  # orjson comes with other packages; without it only speed is lost

    def dumps(value: object) -> bytes:
        """Return `value` as JSON."""
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()

    def loads(text: str | bytes) -> Any:
        """Return what JSON text stands for."""
        return json.loads(text)
