#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One library at one row's work, run a line at a time (bench/peers/run starts it):

    contender.py LIBRARY ROW THREADS WORK PRECISION...

Prints a JSON line that says which of the precisions it is ready for; then answers each line of standard input: "run
PRECISION" with {"milliseconds": ...}, "save PRECISION FILE" with the same after writing the result as .npy.
"""

import copy
import functools
import json
import os
import sys
import time

# Threads that wait do so asleep. Before anything is imported.
os.environ.update(OMP_WAIT_POLICY="PASSIVE", KMP_BLOCKTIME="0")

import numpy as np  # noqa: E402

import prepare  # noqa: E402
from rows import ROWS  # noqa: E402


class Exported:
    """A library that is given a file for each precision."""

    def exists(self, precision):
        return os.path.exists(self.path(precision))


class Torch:
    """PyTorch, eager: inference mode, one pool of threads, convolutions in channels-last."""

    precisions = ("fp32", "bf16")

    def __init__(self, row, threads, work):
        import torch

        self.torch, self.row = torch, row
        self.version = f"PyTorch {torch.__version__.split('+')[0]}"
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(1)
        self.tower = prepare.build_tower(row, work)
        self.input = torch.from_numpy(prepare.make_input(row, work))
        if row.kind == "resnet":
            self.tower = self.tower.to(memory_format=torch.channels_last)
            self.input = self.input.to(memory_format=torch.channels_last)

    def make(self, precision):
        tower, given = self.tower, self.input
        if precision == "bf16":
            tower = copy.deepcopy(tower).bfloat16()
            given = given if self.row.kind == "text" else given.bfloat16()

        def run():
            with self.torch.inference_mode():
                return tower(given).float().numpy()

        return run

    def exists(self, _):
        return True


class OnnxRuntime(Exported):
    """ONNX Runtime on its processor provider, which has no bf16: all optimisations of the graph, one pool."""

    precisions = ("fp32", "int8")

    def __init__(self, row, threads, work):
        import onnxruntime

        self.library, self.threads = onnxruntime, threads
        self.path = functools.partial(prepare.onnx_path, row, work)
        self.version = f"ONNX Runtime {onnxruntime.__version__}"
        self.input = prepare.make_input(row, work)

    def make(self, precision):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = self.library.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        session = self.library.InferenceSession(self.path(precision), options, providers=["CPUExecutionProvider"])
        given = {session.get_inputs()[0].name: self.input}
        return lambda: session.run(None, given)[0]


class OpenVino(Exported):
    """OpenVINO on its processor plugin, for the shortest time of one request."""

    precisions = ("fp32", "bf16", "int8")

    def __init__(self, row, threads, work):
        import openvino

        self.threads = threads
        self.path = functools.partial(prepare.openvino_path, row, work)
        self.version = "OpenVINO " + openvino.__version__.split("-")[0]
        self.core = openvino.Core()
        self.input = openvino.Tensor(prepare.make_input(row, work))

    def make(self, precision):
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads,
            # With int8: for what is not.
            "INFERENCE_PRECISION_HINT": "f32" if precision == "fp32" else "bf16",
        }
        request = self.core.compile_model(self.path(precision), "CPU", settings).create_infer_request()
        request.set_input_tensor(self.input)

        def run():
            request.infer()
            return request.get_output_tensor().data

        return run


LIBRARIES = {"torch": Torch, "onnxruntime": OnnxRuntime, "openvino": OpenVino}


def main():
    library, name, threads, work, *precisions = sys.argv[1:]
    # What libraries print is not part of the conversation.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values):
        print(json.dumps(values), file=answers, flush=True)

    row = next(row for row in ROWS if row.name == name)
    try:
        contender = LIBRARIES[library](row, int(threads), work)
    except ImportError as error:
        answer(error=str(error))
        return 0
    ready = {}
    for precision in precisions:
        if precision in contender.precisions and contender.exists(precision):
            ready[precision] = contender.make(precision)
    answer(version=contender.version, ready=list(ready))
    for line in sys.stdin:
        verb, precision, *rest = line.split()
        start = time.perf_counter()
        output = ready[precision]()
        took = time.perf_counter() - start
        if verb == "save":
            np.save(rest[0], np.array(output, np.float32))
        answer(milliseconds=1e3 * took)
    return 0


if __name__ == "__main__":
    sys.exit(main())
