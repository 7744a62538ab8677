"""KServe's InferenceRESTClient against a server of the digits example at $DIGITS (host:port)."""

import os
import unittest

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

URL = f"http://{os.environ['DIGITS']}"
PIXELS = (np.arange(3 * 64, dtype=np.float32) % 17 / 16).reshape(3, 64)


class KServe(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = InferenceRESTClient(RESTConfig(protocol="v2"))

    async def asyncTearDown(self):
        await self.client.close()

    async def infer(self, binary, **parameters):
        pixels = InferInput("pixels", list(PIXELS.shape), "FP32")
        pixels.set_data_from_numpy(PIXELS, binary_data=binary)
        request = InferRequest(model_name="digits", infer_inputs=[pixels], request_id="mine", parameters=parameters)
        response = await self.client.infer(URL, request, model_name="digits")
        [probabilities] = [output for output in response.outputs if output.name == "probabilities"]
        return probabilities.as_numpy()

    async def test_infer_in_json_and_binary(self):
        expected = await self.infer(binary=False)
        np.testing.assert_allclose(expected.sum(axis=1), np.ones(3), rtol=1e-5)
        np.testing.assert_allclose(await self.infer(binary=True), expected, rtol=1e-5)
        np.testing.assert_allclose(await self.infer(binary=True, binary_data_output=True), expected, rtol=1e-5)

    async def test_health(self):
        self.assertTrue(await self.client.is_server_live(URL))
        self.assertTrue(await self.client.is_server_ready(URL))
        self.assertTrue(await self.client.is_model_ready(URL, "digits"))


if __name__ == "__main__":
    unittest.main()
