"""An ONNX model behind KServe's Python server, which has no ONNX runtime of its own: a Model subclass, as its documentation has it.

usage: python kserve_server.py MODEL NAME PORT
"""

import logging
import sys

import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer
from kserve.utils.numpy_codec import from_np_dtype

path, name, port = sys.argv[1:]
sys.argv[1:] = []


class OnnxModel(Model):
    def __init__(self):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        self.ready = True

    async def predict(self, payload, headers=None, response_headers=None):
        results = self.session.run(None, {tensor.name: tensor.as_numpy() for tensor in payload.inputs})
        outputs = []
        for output, result in zip(self.names, results):
            described = InferOutput(output, list(result.shape), from_np_dtype(result.dtype))
            described.set_data_from_numpy(result, binary_data=payload.use_binary_outputs)
            outputs.append(described)
        return InferResponse(payload.id or "", name, outputs, use_binary_outputs=payload.use_binary_outputs)


if __name__ == "__main__":
    # A line for each request would cost it a tenth of its throughput.
    logging.disable(logging.INFO)
    ModelServer(http_port=int(port), enable_grpc=False, enable_latency_logging=False).start([OnnxModel()])
