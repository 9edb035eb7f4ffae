"""The contract: everything is commented, every RPC names its status codes."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from dlae_core.config.schema import sections, settings
from dlae_server.status import STATUSES

PROTO = Path(__file__).parents[2] / "proto"

# Field number of a list inside its parent, as source paths name it.
FILE_MESSAGES, FILE_ENUMS, FILE_SERVICES = 4, 5, 6
FILE_EXTENSIONS = 7
MESSAGE_FIELDS, MESSAGE_NESTED, MESSAGE_ENUMS, MESSAGE_ONEOFS = 2, 3, 4, 8
ENUM_VALUES = SERVICE_METHODS = 2

# Settings without a default: left out, they have a meaning of their own.
WITHOUT_DEFAULT = {
    "config_file.input_shape",  # that of the Input layer
    "preprocessing.annotation_type",  # values, and a warning where images move
    "loss_function.additional_losses",  # none
    "loss_function.parameter1",  # the loss's own
    "loss_function.parameter2",
    "layers.serial_layer_list",  # no such network
    "layers.generator_layer_list",
    "layers.discriminator_layer_list",
}


@pytest.fixture(scope="module")
def descriptors(tmp_path_factory: pytest.TempPathFactory) -> list[FileDescriptorProto]:
    target = tmp_path_factory.mktemp("proto") / "set"
    sources = [str(path) for path in sorted((PROTO / "dlae" / "v1").glob("*.proto"))]
    include = [f"-I{PROTO}", f"-I{files('grpc_tools') / '_proto'}"]
    arguments = [*include, "--include_source_info", f"--descriptor_set_out={target}", *sources]
    # In a process of its own: beside other protobuf libraries the compiler can crash.
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], check=True)
    return list(FileDescriptorSet.FromString(target.read_bytes()).file)


def _messages(messages: Any, path: tuple[int, ...], number: int) -> Iterator[tuple[Any, str]]:
    for index, message in enumerate(messages):
        if message.options.map_entry:
            continue
        place = (*path, number, index)
        yield place, message.name
        yield from _members(message.field, place, MESSAGE_FIELDS, message.name)
        declared = [one for one in message.oneof_decl if not one.name.startswith("_")]
        yield from _members(declared, place, MESSAGE_ONEOFS, message.name)
        yield from _enums(message.enum_type, place, MESSAGE_ENUMS)
        yield from _messages(message.nested_type, place, MESSAGE_NESTED)


def _members(
    members: Any, path: tuple[int, ...], number: int, owner: str
) -> Iterator[tuple[Any, str]]:
    for index, member in enumerate(members):
        yield (*path, number, index), f"{owner}.{member.name}"


def _enums(enums: Any, path: tuple[int, ...], number: int) -> Iterator[tuple[Any, str]]:
    for index, enum in enumerate(enums):
        place = (*path, number, index)
        yield place, enum.name
        yield from _members(enum.value, place, ENUM_VALUES, enum.name)


def _comments(file: FileDescriptorProto) -> dict[tuple[int, ...], str]:
    return {tuple(place.path): place.leading_comments for place in file.source_code_info.location}


def test_every_message_field_and_value_is_commented(
    descriptors: list[FileDescriptorProto],
) -> None:
    assert len(descriptors) == len(list((PROTO / "dlae" / "v1").glob("*.proto")))
    for file in descriptors:
        comments = _comments(file)
        places = [
            *_messages(file.message_type, (), FILE_MESSAGES),
            *_enums(file.enum_type, (), FILE_ENUMS),
            *_members(file.extension, (), FILE_EXTENSIONS, file.name),
        ]
        bare = [name for place, name in places if not comments.get(place, "").strip()]
        assert bare == []


def test_every_enum_begins_with_unspecified(descriptors: list[FileDescriptorProto]) -> None:
    for file in descriptors:
        nested = [enum for message in file.message_type for enum in message.enum_type]
        for enum in (*file.enum_type, *nested):
            assert enum.value[0].number == 0
            assert enum.value[0].name.endswith("_UNSPECIFIED"), enum.name


def test_every_rpc_names_its_status_codes(descriptors: list[FileDescriptorProto]) -> None:
    known = {error.reason: code.name for error, code in STATUSES.items()}
    count = 0
    for file in descriptors:
        comments = _comments(file)
        for index, service in enumerate(file.service):
            assert comments[FILE_SERVICES, index].strip()
            for method, one in enumerate(service.method):
                comment = comments[FILE_SERVICES, index, SERVICE_METHODS, method]
                assert "Status codes:" in comment, one.name
                listed = re.findall(r"^ - ([A-Z_]+) \(([A-Z_]+)\):", comment, re.MULTILINE)
                assert listed, one.name
                assert {reason: code for code, reason in listed}.items() <= known.items(), one.name
                count += 1
    assert count == 31


def test_every_setting_has_a_default_or_a_meaning_when_it_is_left_out() -> None:
    without = {
        f"{section}.{key}"
        for section, row in sections().items()
        if row.message is not None
        for key, setting in settings(row.message).items()
        if setting.default is None and not setting.options.required
    }
    assert without == WITHOUT_DEFAULT


def test_every_default_is_one_of_the_choices_it_stands_beside() -> None:
    for section, row in sections().items():
        assert row.message is not None
        for key, setting in settings(row.message).items():
            if setting.choices and setting.default is not None:
                assert setting.default in setting.choices, f"{section}.{key}"
