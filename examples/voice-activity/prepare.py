"""Copies the voice-activity model out of its Python package and writes the request and the expected answer.

    apt-get install espeak-ng
    python -m venv venv && venv/bin/pip install --no-deps -r requirements.txt && venv/bin/python prepare.py

The request holds two frames of 32 ms at 16 kHz, each behind the last 64 samples of the frame before it, as the model wants them: one out of
the middle of a spoken word (synthesised by espeak-ng), one of faint noise.
"""

import importlib.util
import json
import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import onnxruntime

FOLDER = Path(__file__).parent
RATE, CONTEXT, FRAME = 16_000, 64, 512

package = Path(importlib.util.find_spec("silero_vad").submodule_search_locations[0])
shutil.copy(package / "data" / "silero_vad_16k_op15.onnx", FOLDER / "model.onnx")

subprocess.run(["espeak-ng", "-w", "/tmp/speech.wav", "good morning everyone"], check=True)
with wave.open("/tmp/speech.wav") as file:
    rate, raw = file.getframerate(), file.readframes(file.getnframes())
samples = np.frombuffer(raw, np.int16).astype(np.float32) / 32768
time = np.arange(int(len(samples) * RATE / rate)) / RATE
samples = np.interp(time, np.arange(len(samples)) / rate, samples).astype(np.float32)

session = onnxruntime.InferenceSession(FOLDER / "model.onnx", providers=["CPUExecutionProvider"])


def run(frames):
    state = np.zeros((2, len(frames), 128), np.float32)
    return session.run(["output", "stateN"], {"input": frames, "state": state, "sr": np.array(RATE, np.int64)})


def tensor(name, array, datatype):
    array = np.asarray(array)
    data = np.round(array, 6) if datatype == "FP32" else array
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": data.astype(object).ravel().tolist()}


windows = [samples[at : at + CONTEXT + FRAME] for at in range(0, len(samples) - CONTEXT - FRAME, FRAME)]
speech = max(windows, key=lambda window: run(window[None])[0][0, 0])
noise = np.random.default_rng(7).normal(0, 0.001, CONTEXT + FRAME).astype(np.float32)
frames = np.round(np.stack([speech, noise]), 6).astype(np.float32)
probability, _ = run(frames)
print("probability of speech:", probability.ravel())

request = {
    "inputs": [
        tensor("input", frames, "FP32"),
        tensor("state", np.zeros((2, 2, 128), np.float32), "FP32"),
        tensor("sr", np.array(RATE), "INT64"),
    ],
    "outputs": [{"name": "output"}],
}
(FOLDER / "request.json").write_text(json.dumps(request) + "\n")
(FOLDER / "expected.json").write_text(json.dumps({"outputs": [tensor("output", probability, "FP32")]}) + "\n")
