"""What Triton's own client asks over HTTP: `triton_http_calls.py ADDRESS MODEL IMAGES.npy`.

Prints what it was told as JSON and writes the outputs beside the images.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype


def main() -> None:
    """Asks."""
    address, model, path = sys.argv[1:]
    images = np.load(path)
    client = InferenceServerClient(address)
    for way in (True, False):
        tensor = InferInput("input", images.shape, np_to_triton_dtype(images.dtype))
        tensor.set_data_from_numpy(images, binary_data=way)
        outputs = [InferRequestedOutput(name, binary_data=way) for name in ("output", "labels")]
        result = client.infer(model, [tensor], "1", outputs, request_id="7")
        for name in ("output", "labels"):
            np.save(Path(path).with_name(f"{name}-{way}.npy"), result.as_numpy(name))
    default = client.infer(f"{model}@1", [tensor], parameters={"flips": "0"}, timeout=10**7)
    np.save(Path(path).with_name("default.npy"), default.as_numpy("output"))
    client.unload_model(model)
    client.load_model(model)
    told = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model": [client.is_model_ready(name) for name in (model, "unknown")],
        "server": client.get_server_metadata(),
        "metadata": client.get_model_metadata(model, "1"),
        "config": client.get_model_config(model),
        "statistics": client.get_inference_statistics(model),
        "all": client.get_inference_statistics(),
        "index": client.get_model_repository_index(),
        "response": [result.get_response()[name] for name in ("id", "model_version")],
    }
    try:
        client.infer("unknown", [tensor])
    except InferenceServerException as error:
        told["unknown"] = [error.status(), error.message()]
    print(json.dumps(told))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
