"""What KServe's own client asks a server: `kserve_calls.py ADDRESS MODEL IMAGES.npy`.

In a process, and an environment, of its own: KServe pins a compiler of protocols that differs from
ours. Prints what it was told as JSON and writes the output beside the images.
"""

import asyncio
import json
import sys
from pathlib import Path

import numpy as np
from kserve import InferenceGRPCClient, InferInput, InferRequest


async def ask(address: str, model: str, path: Path) -> None:
    """Asks."""
    images = np.load(path)
    client = InferenceGRPCClient(address)
    told = {
        "live": await client.is_server_live(),
        "ready": await client.is_server_ready(),
        "model": await client.is_model_ready(model),
    }
    for name, is_raw in (("raw", True), ("typed", False)):
        tensor = InferInput("input", list(images.shape), "FP32")
        tensor.set_data_from_numpy(images, binary_data=is_raw)
        answer = await client.infer(InferRequest(model_name=model, infer_inputs=[tensor]))
        output = answer.outputs[0]
        np.save(path.with_name(f"{name}.npy"), output.as_numpy())
        told[name] = [output.name, list(output.shape), output.datatype]
    await client.close()
    print(json.dumps(told))  # noqa: T201 - the answer of this program


if __name__ == "__main__":
    asyncio.run(ask(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
