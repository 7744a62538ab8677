"""tritonclient[grpc] against a server of the digits example, at $DIGITS_GRPC, and of a model that gives strings back, at $STRINGS_GRPC (both host:port)."""

import asyncio
import os
import queue
import unittest

import numpy as np
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as aio
from tritonclient.utils import InferenceServerException

DIGITS, STRINGS = os.environ["DIGITS_GRPC"], os.environ["STRINGS_GRPC"]
PIXELS = (np.arange(3 * 64, dtype=np.float32) % 17 / 16).reshape(3, 64)
WORDS = np.array([["one", "größer"], ["", "\U0001f600"]], dtype=object)


def tensor(name, values, datatype):
    made = grpc.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values)
    return made


def pixels(rows=PIXELS):
    return [tensor("pixels", rows, "FP32")]


class TritonGrpc(unittest.TestCase):
    def setUp(self):
        self.client = grpc.InferenceServerClient(DIGITS)
        self.probabilities = self.client.infer("digits", pixels()).as_numpy("probabilities")

    def tearDown(self):
        self.client.close()

    def assert_same(self, result):
        np.testing.assert_allclose(result.as_numpy("probabilities"), self.probabilities, rtol=1e-5)

    def test_infer(self):
        np.testing.assert_allclose(self.probabilities.sum(axis=1), np.ones(3), rtol=1e-5)
        result = self.client.infer("digits", pixels(), request_id="mine", model_version="1", priority=1, timeout=10_000_000)
        self.assert_same(result)
        self.assertEqual(result.get_response().id, "mine")

    def test_only_the_outputs_asked_for(self):
        result = self.client.infer("digits", pixels(), outputs=[grpc.InferRequestedOutput("label")])
        self.assertIsNone(result.as_numpy("probabilities"))
        np.testing.assert_array_equal(result.as_numpy("label"), self.probabilities.argmax(axis=1))

    def test_async_infer(self):
        answers = queue.Queue()
        for _ in range(16):
            self.client.async_infer("digits", pixels(), callback=lambda result, error: answers.put((result, error)))
        for _ in range(16):
            result, error = answers.get(timeout=10)
            self.assertIsNone(error)
            self.assert_same(result)

    def test_asyncio(self):
        async def all_at_once():
            async with aio.InferenceServerClient(DIGITS) as client:
                for result in await asyncio.gather(*(client.infer("digits", pixels()) for _ in range(16))):
                    self.assert_same(result)

        asyncio.run(all_at_once())

    def test_stream(self):
        answers = queue.Queue()
        self.client.start_stream(callback=lambda result, error: answers.put((result, error)))
        for index in range(4):
            self.client.async_stream_infer("digits", pixels(), request_id=str(index))
        got = [answers.get(timeout=10) for _ in range(4)]
        self.client.stop_stream()
        for result, error in got:
            self.assertIsNone(error)
            self.assert_same(result)

    def test_compression(self):
        for algorithm in ("gzip", "deflate"):
            with self.subTest(algorithm):
                self.assert_same(self.client.infer("digits", pixels(), compression_algorithm=algorithm))

    def test_a_large_batch(self):
        rows = np.tile(PIXELS, (10_000, 1))
        self.assertEqual(self.client.infer("digits", pixels(rows)).as_numpy("probabilities").shape, (30_000, 10))

    def test_health_metadata_configuration_statistics_index(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("digits"))
        self.assertTrue(self.client.get_server_metadata().name)
        [described] = self.client.get_model_metadata("digits").inputs
        self.assertEqual((described.name, described.datatype, list(described.shape)), ("pixels", "FP32", [-1, 64]))
        self.assertEqual(self.client.get_model_config("digits").config.name, "digits")
        [stats] = self.client.get_inference_statistics("digits").model_stats
        self.assertGreater(stats.inference_stats.success.count, 0)
        [model] = self.client.get_model_repository_index().models
        self.assertEqual((model.name, model.state), ("digits", "READY"))

    def test_errors_are_the_clients_own(self):
        wrong = {
            "another model": lambda: self.client.infer("letters", pixels()),
            "another type": lambda: self.client.infer("digits", [tensor("pixels", PIXELS.astype(np.float64), "FP64")]),
            "another shape": lambda: self.client.infer("digits", pixels(PIXELS[:, :63].copy())),
        }
        for what, call in wrong.items():
            with self.subTest(what), self.assertRaises(InferenceServerException) as raised:
                call()
            self.assertTrue(raised.exception.message())

    def test_strings(self):
        with grpc.InferenceServerClient(STRINGS) as client:
            result = client.infer("strings", [tensor("text", WORDS, "BYTES")])
            self.assertEqual([text.decode() for text in result.as_numpy("same").ravel()], list(WORDS.ravel()))


if __name__ == "__main__":
    unittest.main()
