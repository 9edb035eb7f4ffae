"""Bytes that are no message."""

from pathlib import Path

import grpc
import pytest

from tests.dlae_server.inside import serving
from tests.dlae_server.processes import reason_of


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("/dlae.v1.TrainingService/Status", "unary_unary"),
        ("/dlae.v1.TrainingService/Watch", "unary_stream"),
        ("/dlae.v1.DatasetService/UploadDataset", "stream_unary"),
        ("/dlae.v1.PredictionService/PredictStream", "stream_stream"),
        ("/inference.GRPCInferenceService/ModelReady", "unary_unary"),
    ],
)
def test_bytes_that_are_no_message_are_the_fault_of_their_sender(
    method: str, kind: str, tmp_path: Path
) -> None:
    with serving(tmp_path) as card, grpc.insecure_channel(card["listen"]) as channel:
        given = iter([b"\xff"]) if kind.startswith("stream") else b"\xff"
        call = getattr(channel, kind)(method)
        with pytest.raises(grpc.RpcError) as raised:
            list(call(given, timeout=5))
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(raised.value) == "INVALID_REQUEST"
    name = method.rpartition("/")[2]
    assert raised.value.details() == f"expected a request of {name}, got bytes that are none"
