"""Options of jobs: what is allowed, and when two requests are the same."""

from typing import Any

import pytest

from dlae.v1 import training_pb2 as pb
from dlae_server.errors import InvalidRequest
from dlae_server.jobs.options import checked_options, digest_of

ALLOWED = {
    "request_id": "7f3a",
    "priority": -100,
    "labels": {"study/fold": "1 of 5"},
    "user": "Änne",
    "cores": 2,
    "gpus": 1,
    "time_limit_seconds": 3600,
    "memory_limit_bytes": 1 << 33,
    "machines": 2,
}


def test_what_is_allowed_comes_back_as_it_was() -> None:
    for options in (pb.JobOptions(), pb.JobOptions(**ALLOWED)):
        assert checked_options(options) == options


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"request_id": "a" * 101}, "options.request_id"),
        ({"user": "two\nlines"}, "options.user"),
        ({"priority": 101}, "options.priority from -100 to 100, got 101"),
        ({"cores": -1}, "options.cores"),
        ({"gpus": -1}, "options.gpus"),
        ({"time_limit_seconds": -1}, "options.time_limit_seconds"),
        ({"memory_limit_bytes": -1}, "options.memory_limit_bytes"),
        ({"machines": -1}, "options.machines"),
        ({"labels": {"Study": "1"}}, "got 'Study'"),
        ({"labels": {"": "1"}}, "names of labels"),
        ({"labels": {"study": "a" * 101}}, "label study"),
        ({"labels": {f"l{number}": "" for number in range(21)}}, "at most 20 labels, got 21"),
    ],
)
def test_what_is_not_allowed_is_refused(change: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest, match=place):
        checked_options(pb.JobOptions(**{**ALLOWED, **change}))


def test_requests_are_the_same_where_all_is() -> None:
    def request(**changes: Any) -> pb.TrainRequest:
        labels = changes.pop("labels", {"a": "1", "b": "2", "c": "3"})
        return pb.TrainRequest(**{"name": "m", **changes}, options=pb.JobOptions(labels=labels))

    same = request(labels={"c": "3", "b": "2", "a": "1"})
    assert digest_of(request()) == digest_of(same)
    assert digest_of(request()) != digest_of(request(name="n"))
    assert digest_of(request()) != digest_of(request(labels={"a": "1"}))
