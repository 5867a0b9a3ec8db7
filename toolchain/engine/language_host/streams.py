"""What a child says, in the order it arrives, until the child has ended."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections.abc import Iterator, Mapping
from typing import Literal

Stream = Literal["stdout", "stderr"]
PIECE = 65536


def pieces(process: subprocess.Popen[bytes], outputs: Mapping[int, Stream]) -> Iterator[tuple[Stream, bytes]]:
    """Yield what the file descriptors deliver.

    Ends with the process, even if a grandchild holds a stream open; a reader who leaves early ends the process.
    """
    over, ended = os.pipe()
    waiter = threading.Thread(target=_tell_end, args=(process, ended), daemon=True)
    waiter.start()
    try:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*outputs, over):
                os.set_blocking(descriptor, False)
                selector.register(descriptor, selectors.EVENT_READ)
            while True:
                ready = [key.fd for key, _ in selector.select()]
                if over in ready:
                    break
                for descriptor in ready:
                    piece = _read(descriptor)
                    if piece:
                        yield outputs[descriptor], piece
                    elif piece is not None:
                        selector.unregister(descriptor)
            for descriptor, name in outputs.items():
                while piece := _read(descriptor):
                    yield name, piece
    finally:
        process.kill()
        waiter.join()
        os.close(over)


def _tell_end(process: subprocess.Popen[bytes], ended: int) -> None:
    process.wait()
    os.close(ended)


def _read(descriptor: int) -> bytes | None:
    """Return one piece, `b""` at the end of the stream, None when there is nothing now."""
    try:
        return os.read(descriptor, PIECE)
    except BlockingIOError:
        return None
    except OSError:  # a pseudo terminal reports its end as an error
        return b""
