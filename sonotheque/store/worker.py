"""The worker process of `sonotheque.store.heard`: a line of JSON in, a line of JSON out, until the input ends."""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a C library prints must not end up between the answers

    from sonotheque.embed.runtime import Compute
    from sonotheque.errors import SonothequeError
    from sonotheque.store.heard import encode, listen

    answers.write(b'"ready"\n')
    answers.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            compute = Compute(**request.pop("compute"))
            answer = encode(listen(**request, compute=compute))
        except SonothequeError as error:
            answer = {"error": str(error), "kind": type(error).__name__}
        except MemoryError:
            answer = {"error": f"{request['path']}: not enough memory to decode it", "kind": "AudioError"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
