"""The worker process of `sonotheque.extract.pool`. It reads one JSON request per line and writes one JSON response per line."""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Process requests until the parent process closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    responses = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of C libraries must not mix with the responses

    from sonotheque.embed.runtime import Compute
    from sonotheque.errors import SonothequeError
    from sonotheque.extract.extraction import extract, to_json

    responses.write(b'"ready"\n')
    responses.flush()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        try:
            compute = Compute(**request.pop("compute"))
            response = to_json(extract(**request, compute=compute))
        except SonothequeError as error:
            response = {"error": str(error), "kind": type(error).__name__}
        except MemoryError:
            response = {"error": f"{request['path']}: not enough memory to decode it", "kind": "AudioError"}
        except Exception as error:  # a fault in a decoder or in this program affects only this file
            reason = f"unexpected {type(error).__name__}: {error}"
            response = {"error": f"{request['path']}: {reason}", "kind": "AudioError"}
        responses.write(json.dumps(response).encode() + b"\n")
        responses.flush()


if __name__ == "__main__":
    main()
