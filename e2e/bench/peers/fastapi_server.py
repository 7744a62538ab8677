"""An ONNX model behind FastAPI and uvicorn, as teams write it for themselves: the inference path of the Open Inference Protocol, with binary tensors.

usage: python fastapi_server.py MODEL NAME PORT
"""

import json
import sys

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI, Request, Response

model, name, port = sys.argv[1:]
DTYPES = {"FP32": np.float32, "FP64": np.float64, "INT32": np.int32, "INT64": np.int64}
DATATYPES = {np.dtype(dtype): datatype for datatype, dtype in DTYPES.items()}
LENGTH = "inference-header-content-length"

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
output_names = [output.name for output in session.get_outputs()]
app = FastAPI()


@app.get("/v2/health/ready")
def ready():
    return {"ready": True}


@app.post(f"/v2/models/{name}/infer")
async def infer(request: Request):
    body = await request.body()
    json_length = int(request.headers.get(LENGTH, len(body)))
    document, offset, feeds = json.loads(body[:json_length]), json_length, {}
    for tensor in document["inputs"]:
        dtype = DTYPES[tensor["datatype"]]
        if "data" in tensor:
            values = np.array(tensor["data"], dtype)
        else:
            size = tensor["parameters"]["binary_data_size"]
            values = np.frombuffer(body, dtype, size // np.dtype(dtype).itemsize, offset)
            offset += size
        feeds[tensor["name"]] = values.reshape(tensor["shape"])
    results = session.run(None, feeds)
    described = [
        {"name": output, "datatype": DATATYPES[result.dtype], "shape": list(result.shape)} for output, result in zip(output_names, results)
    ]
    if not document.get("parameters", {}).get("binary_data_output"):
        outputs = [{**output, "data": result.ravel().tolist()} for output, result in zip(described, results)]
        return Response(json.dumps({"model_name": name, "outputs": outputs}), media_type="application/json")
    outputs = [{**output, "parameters": {"binary_data_size": result.nbytes}} for output, result in zip(described, results)]
    head = json.dumps({"model_name": name, "outputs": outputs}).encode()
    payload = head + b"".join(result.tobytes() for result in results)
    return Response(payload, media_type="application/octet-stream", headers={LENGTH: str(len(head))})


uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
