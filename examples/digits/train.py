"""Trains the digits classifier and writes everything in this folder that follows from it.

    python -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python train.py

The data are 1,797 handwritten digits of 8x8 pixels from the UCI Machine Learning Repository (Alpaydin & Kaynak, 1998), which scikit-learn ships.
A fifth is held out before training and never looked at; the printed accuracy is measured on it, by ONNX Runtime on the exported file.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import helper, save
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).parent
EVALUATION_SAMPLES = 200
REQUEST_SAMPLES = 3


def tensor(name, array, datatype):
    """A tensor as the Open Inference Protocol's JSON has it."""
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.ravel().tolist()}


def write(name, value):
    (FOLDER / name).write_text(json.dumps(value) + "\n")


pixels, labels = load_digits(return_X_y=True)
pixels = pixels.astype(np.float32)
train_x, test_x, train_y, test_y = train_test_split(pixels, labels, test_size=0.2, stratify=labels, random_state=7)

classifier = make_pipeline(
    StandardScaler(),
    MLPClassifier(hidden_layer_sizes=(128, 64), alpha=1e-3, max_iter=400, random_state=7),
)
classifier.fit(train_x, train_y)

model = to_onnx(
    classifier,
    initial_types=[("pixels", FloatTensorType([None, 64]))],
    options={"zipmap": False},
    target_opset={"": 18, "ai.onnx.ml": 3},
)
# One name for the batch dimension everywhere says that rows are independent, which is what lets a server batch requests.
for value in [*model.graph.input, *model.graph.output]:
    value.type.tensor_type.shape.dim[0].dim_param = "batch"
model.graph.doc_string = "Handwritten digits, 8x8 pixels of 0 to 16, row by row"
model.metadata_props.append(helper.onnx.StringStringEntryProto(key="labels", value="0,1,2,3,4,5,6,7,8,9"))
save(model, FOLDER / "model.onnx")

session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])
predicted, probabilities = session.run(["label", "probabilities"], {"pixels": test_x})
accuracy = float((predicted == test_y).mean())

write("request.json", {"inputs": [tensor("pixels", test_x[:REQUEST_SAMPLES], "FP32")]})
write(
    "expected.json",
    {
        "outputs": [
            tensor("label", predicted[:REQUEST_SAMPLES], "INT64"),
            tensor("probabilities", probabilities[:REQUEST_SAMPLES], "FP32"),
        ]
    },
)
write(
    "evaluation.json",
    {
        "inputs": [tensor("pixels", test_x[:EVALUATION_SAMPLES], "FP32")],
        "labels": test_y[:EVALUATION_SAMPLES].tolist(),
    },
)
digest = hashlib.sha256((FOLDER / "model.onnx").read_bytes()).hexdigest()
print(f"accuracy {accuracy:.4f} on {len(test_y)} held-out digits; sha256 {digest}")
