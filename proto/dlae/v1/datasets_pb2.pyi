import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Dataset(_message.Message):
    __slots__ = ("sha256", "size_bytes", "create_time", "kind", "samples", "forms", "versions")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Dataset.Kind]
        KIND_SAMPLES: _ClassVar[Dataset.Kind]
        KIND_GROUPS: _ClassVar[Dataset.Kind]
        KIND_NETWORK: _ClassVar[Dataset.Kind]
    KIND_UNSPECIFIED: Dataset.Kind
    KIND_SAMPLES: Dataset.Kind
    KIND_GROUPS: Dataset.Kind
    KIND_NETWORK: Dataset.Kind
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    FORMS_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    create_time: _timestamp_pb2.Timestamp
    kind: Dataset.Kind
    samples: int
    forms: _containers.RepeatedCompositeFieldContainer[SampleForm]
    versions: _containers.RepeatedCompositeFieldContainer[DatasetVersion]
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[Dataset.Kind, str]] = ..., samples: _Optional[int] = ..., forms: _Optional[_Iterable[_Union[SampleForm, _Mapping]]] = ..., versions: _Optional[_Iterable[_Union[DatasetVersion, _Mapping]]] = ...) -> None: ...

class SampleForm(_message.Message):
    __slots__ = ("shape", "dtype", "samples")
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    shape: _containers.RepeatedScalarFieldContainer[int]
    dtype: str
    samples: int
    def __init__(self, shape: _Optional[_Iterable[int]] = ..., dtype: _Optional[str] = ..., samples: _Optional[int] = ...) -> None: ...

class DatasetVersion(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class FindFilesRequest(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[LocalFile]
    def __init__(self, files: _Optional[_Iterable[_Union[LocalFile, _Mapping]]] = ...) -> None: ...

class LocalFile(_message.Message):
    __slots__ = ("path", "size_bytes", "change_time_ns")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_NS_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    change_time_ns: int
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ..., change_time_ns: _Optional[int] = ...) -> None: ...

class FindFilesResponse(_message.Message):
    __slots__ = ("readable",)
    READABLE_FIELD_NUMBER: _ClassVar[int]
    readable: _containers.RepeatedScalarFieldContainer[bool]
    def __init__(self, readable: _Optional[_Iterable[bool]] = ...) -> None: ...

class StartUploadRequest(_message.Message):
    __slots__ = ("sha256", "size_bytes", "name")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    size_bytes: int
    name: str
    def __init__(self, sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class StartUploadResponse(_message.Message):
    __slots__ = ("offset", "dataset", "crc32_optional")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    CRC32_OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    offset: int
    dataset: Dataset
    crc32_optional: bool
    def __init__(self, offset: _Optional[int] = ..., dataset: _Optional[_Union[Dataset, _Mapping]] = ..., crc32_optional: bool = ...) -> None: ...

class UploadDatasetRequest(_message.Message):
    __slots__ = ("header", "piece")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PIECE_FIELD_NUMBER: _ClassVar[int]
    header: StartUploadRequest
    piece: DatasetPiece
    def __init__(self, header: _Optional[_Union[StartUploadRequest, _Mapping]] = ..., piece: _Optional[_Union[DatasetPiece, _Mapping]] = ...) -> None: ...

class DatasetPiece(_message.Message):
    __slots__ = ("offset", "data", "crc32")
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    offset: int
    data: bytes
    crc32: int
    def __init__(self, offset: _Optional[int] = ..., data: _Optional[bytes] = ..., crc32: _Optional[int] = ...) -> None: ...

class UploadDatasetResponse(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ...) -> None: ...

class GetDatasetRequest(_message.Message):
    __slots__ = ("dataset",)
    DATASET_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    def __init__(self, dataset: _Optional[str] = ...) -> None: ...

class GetDatasetResponse(_message.Message):
    __slots__ = ("dataset", "users")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    USERS_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    users: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ..., users: _Optional[_Iterable[str]] = ...) -> None: ...

class ListDatasetsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "name")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    name: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListDatasetsResponse(_message.Message):
    __slots__ = ("datasets", "next_page_token", "total_bytes", "limit_bytes")
    DATASETS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    datasets: _containers.RepeatedCompositeFieldContainer[Dataset]
    next_page_token: str
    total_bytes: int
    limit_bytes: int
    def __init__(self, datasets: _Optional[_Iterable[_Union[Dataset, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_bytes: _Optional[int] = ..., limit_bytes: _Optional[int] = ...) -> None: ...

class DeleteDatasetRequest(_message.Message):
    __slots__ = ("dataset", "force")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    force: bool
    def __init__(self, dataset: _Optional[str] = ..., force: bool = ...) -> None: ...

class DeleteDatasetResponse(_message.Message):
    __slots__ = ("dataset", "file_deleted")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    FILE_DELETED_FIELD_NUMBER: _ClassVar[int]
    dataset: Dataset
    file_deleted: bool
    def __init__(self, dataset: _Optional[_Union[Dataset, _Mapping]] = ..., file_deleted: bool = ...) -> None: ...
