"""The worker process of `sonotheque.extract.pool`: reads one request per line as JSON and answers each with one line."""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Answer requests until the parent process closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a C library prints must not mix with the answers

    from sonotheque.embed.runtime import Compute
    from sonotheque.errors import SonothequeError
    from sonotheque.extract.extraction import extract, to_json

    answers.write(b'"ready"\n')
    answers.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            compute = Compute(**request.pop("compute"))
            answer = to_json(extract(**request, compute=compute))
        except SonothequeError as error:
            answer = {"error": str(error), "kind": type(error).__name__}
        except MemoryError:
            answer = {"error": f"{request['path']}: not enough memory to decode it", "kind": "AudioError"}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
