"""Everything that Triton's own client asks a server: `triton_calls.py ADDRESS MODEL IMAGES.npy`.

In a process of its own: it registers the protocol's names in the default descriptor pool. Prints
what it was told as JSON and writes the outputs beside the images.
"""

import json
import sys
from pathlib import Path

import numpy as np
from tritonclient.grpc import (
    InferenceServerClient,
    InferenceServerException,
    InferInput,
    InferRequestedOutput,
)
from tritonclient.utils import np_to_triton_dtype


def main() -> None:
    """Asks."""
    address, model, path = sys.argv[1:]
    images = np.load(path)
    client = InferenceServerClient(address)
    tensor = InferInput("input", images.shape, np_to_triton_dtype(images.dtype))
    tensor.set_data_from_numpy(images)
    outputs = [InferRequestedOutput("output"), InferRequestedOutput("labels")]
    result = client.infer(model, [tensor], "1", outputs, request_id="7")
    for name in ("output", "labels"):
        np.save(Path(path).with_name(f"{name}.npy"), result.as_numpy(name))
    waiting = client.infer(model, [tensor], client_timeout=10)
    np.save(Path(path).with_name("default.npy"), waiting.as_numpy("output"))
    asked = {"threshold": 0.5, "flips": "0, 1"}
    thresholded = client.infer(
        f"{model}@first", [tensor], outputs=outputs[1:], parameters=asked, priority=2, timeout=10**7
    )
    np.save(Path(path).with_name("thresholded.npy"), thresholded.as_numpy("labels"))
    client.unload_model(model)
    unloaded = client.get_model_repository_index(as_json=True)
    client.load_model(f"{model}@first")
    told = {
        "unloaded": unloaded,
        "config": client.get_model_config(model, as_json=True),
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model": [client.is_model_ready(name, "1") for name in (model, "unknown")],
        "server": client.get_server_metadata(as_json=True),
        "metadata": client.get_model_metadata(model, as_json=True),
        "statistics": client.get_inference_statistics(as_json=True),
        "index": client.get_model_repository_index(as_json=True),
        "response": [result.get_response().id, result.get_response().model_version],
    }
    failures = {
        "unknown": lambda: client.infer("unknown", [tensor]),
        "misspelt": lambda: client.infer(model, [tensor], parameters={"treshold": 0.5}),
        "absent": lambda: client.load_model("unknown"),
        "changed": lambda: client.load_model(model, config="{}"),
    }
    for name, call in failures.items():
        try:
            call()
        except InferenceServerException as error:
            told[name] = error.status()
    print(json.dumps(told))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    main()
