"""llama.cpp's server over one GGUF file, from the package xllamacpp, until it is told to end.

    python -m raiden_core.models.llama_server MODEL.gguf --port 8080 --context 4096 --threads 2

Started by `raiden_core.models.llama_cpp.running`; the server runs in threads of this process and takes no signal of its own.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", default="model")
    parser.add_argument("--context", type=int, default=4096, help="tokens of each slot")
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _serving = _server(given)
    stop.wait()
    os._exit(0)  # its destructor waits without end where the server was still loading


def _server(given: argparse.Namespace) -> object:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = given.model
    params.model_alias = {given.name}
    params.hostnames = [given.host]
    params.port = given.port
    params.n_parallel = given.slots
    params.n_ctx = given.slots * given.context
    params.cpuparams.n_threads = given.threads
    params.cpuparams_batch.n_threads = given.threads
    params.n_gpu_layers = 0
    params.ui = False
    params.fit_params = False
    params.use_jinja = True
    # Tags stay text: whoever asks takes them apart, as with every other server.
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    server: object = xllamacpp.Server(params)
    return server


if __name__ == "__main__":
    main()
