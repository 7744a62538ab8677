"""An ONNX model behind MLServer, which has no ONNX runtime of its own: a custom one, as its documentation has it. It is started with

    mlserver start FOLDER

where FOLDER has model-settings.json with `"implementation": "mlserver_onnx.OnnxModel"` and the model as `parameters.uri`.
"""

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxModel(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        return True

    async def predict(self, payload):
        feeds = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        results = self.session.run(None, feeds)
        outputs = [NumpyCodec.encode_output(name, result) for name, result in zip(self.names, results)]
        return InferenceResponse(id=payload.id, model_name=self.name, outputs=outputs)
