"""tritonclient[http] against a server of the digits example, at $DIGITS, and of a model that gives strings back, at $STRINGS (both host:port)."""

import asyncio
import os
import unittest

import numpy as np
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

DIGITS, STRINGS = os.environ["DIGITS"], os.environ["STRINGS"]
PIXELS = (np.arange(3 * 64, dtype=np.float32) % 17 / 16).reshape(3, 64)
WORDS = np.array([["one", "größer"], ["", "\U0001f600"]], dtype=object)


def tensor(name, values, datatype, **form):
    made = http.InferInput(name, list(values.shape), datatype)
    made.set_data_from_numpy(values, **form)
    return made


def pixels(rows=PIXELS, **form):
    return [tensor("pixels", rows, "FP32", **form)]


class TritonHttp(unittest.TestCase):
    def setUp(self):
        self.client = http.InferenceServerClient(DIGITS, concurrency=4)
        self.expected = self.client.infer("digits", pixels(binary_data=False), outputs=[http.InferRequestedOutput("probabilities", False)])
        self.probabilities = self.expected.as_numpy("probabilities")

    def tearDown(self):
        self.client.close()

    def assert_same(self, result):
        np.testing.assert_allclose(result.as_numpy("probabilities"), self.probabilities, rtol=1e-5)

    def test_probabilities_of_each_row_add_up(self):
        np.testing.assert_allclose(self.probabilities.sum(axis=1), np.ones(3), rtol=1e-5)

    def test_binary_by_default(self):
        result = self.client.infer("digits", pixels(), request_id="mine")
        self.assert_same(result)
        self.assertEqual(result.get_response()["id"], "mine")
        self.assertIn("binary_data_size", result.get_output("probabilities")["parameters"])

    def test_json_in_binary_out_and_the_other_way(self):
        self.assert_same(self.client.infer("digits", pixels(binary_data=False), outputs=[http.InferRequestedOutput("probabilities")]))
        self.assert_same(self.client.infer("digits", pixels(), outputs=[http.InferRequestedOutput("probabilities", binary_data=False)]))

    def test_version(self):
        self.assert_same(self.client.infer("digits", pixels(), model_version="1"))

    def test_async_infer(self):
        pending = [self.client.async_infer("digits", pixels()) for _ in range(16)]
        for request in pending:
            self.assert_same(request.get_result())

    def test_asyncio(self):
        async def all_at_once():
            async with aio.InferenceServerClient(DIGITS) as client:
                self.assertTrue(await client.is_model_ready("digits"))
                results = await asyncio.gather(*(client.infer("digits", pixels()) for _ in range(16)))
                for result in results:
                    self.assert_same(result)

        asyncio.run(all_at_once())

    def test_compression_both_ways(self):
        for algorithm in ("gzip", "deflate"):
            with self.subTest(algorithm):
                rows = np.repeat(PIXELS, 50, axis=0)
                forms = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
                result = self.client.infer("digits", pixels(rows), **forms)
                self.assertEqual(result.as_numpy("probabilities").shape, (150, 10))
                self.assert_same(self.client.infer("digits", pixels(), **forms))

    def test_classification(self):
        result = self.client.infer("digits", pixels(), outputs=[http.InferRequestedOutput("probabilities", class_count=2)])
        best = result.as_numpy("probabilities")
        self.assertEqual(best.shape, (3, 2))
        indices = [[int(text.decode().split(":")[1]) for text in row] for row in best]
        np.testing.assert_array_equal(indices, np.argsort(-self.probabilities, axis=1)[:, :2])

    def test_priority_and_timeout(self):
        self.assert_same(self.client.infer("digits", pixels(), priority=1, timeout=10_000_000))

    def test_custom_parameters(self):
        self.assert_same(self.client.infer("digits", pixels(), parameters={"team": "mail", "attempt": 1}))

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("digits"))
        self.assertTrue(self.client.is_model_ready("digits", "1"))
        self.assertFalse(self.client.is_model_ready("letters"))
        extensions = self.client.get_server_metadata()["extensions"]
        for extension in ("binary_tensor_data", "classification", "model_configuration", "model_repository", "schedule_policy", "statistics"):
            self.assertIn(extension, extensions)
        metadata = self.client.get_model_metadata("digits")
        self.assertEqual(metadata["inputs"], [{"name": "pixels", "datatype": "FP32", "shape": [-1, 64]}])

    def test_configuration(self):
        config = self.client.get_model_config("digits")
        self.assertEqual(config["name"], "digits")
        self.assertEqual(config["input"][0]["data_type"], "TYPE_FP32")
        self.assertIn("max_batch_size", config)

    def test_statistics_count(self):
        def successes():
            [stats] = self.client.get_inference_statistics("digits")["model_stats"]
            return stats["inference_stats"]["success"]["count"]

        before = successes()
        self.client.infer("digits", pixels())
        self.assertEqual(successes(), before + 1)

    def test_repository_index(self):
        [model] = self.client.get_model_repository_index()
        self.assertEqual((model["name"], model["state"]), ("digits", "READY"))

    def test_errors_are_the_clients_own(self):
        wrong = {
            "another model": lambda: self.client.infer("letters", pixels()),
            "another type": lambda: self.client.infer("digits", [tensor("pixels", PIXELS.astype(np.float64), "FP64")]),
            "another shape": lambda: self.client.infer("digits", pixels(PIXELS[:, :63].copy())),
            "another input": lambda: self.client.infer("digits", [tensor("pixel", PIXELS, "FP32")]),
            "a load": lambda: self.client.load_model("digits"),
        }
        for what, call in wrong.items():
            with self.subTest(what), self.assertRaises(InferenceServerException) as raised:
                call()
            self.assertTrue(raised.exception.message())

    def test_strings(self):
        with http.InferenceServerClient(STRINGS) as client:
            for binary in (True, False):
                words = [tensor("text", WORDS, "BYTES", binary_data=binary)]
                result = client.infer("strings", words, outputs=[http.InferRequestedOutput("same", binary)])
                texts = [text.decode() if isinstance(text, bytes) else text for text in result.as_numpy("same").ravel()]
                self.assertEqual(texts, list(WORDS.ravel()))


if __name__ == "__main__":
    unittest.main()
