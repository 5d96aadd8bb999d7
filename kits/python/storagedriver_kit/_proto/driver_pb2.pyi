import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WriteMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WRITE_MODE_UNSPECIFIED: _ClassVar[WriteMode]
    WRITE_MODE_CREATE: _ClassVar[WriteMode]
    WRITE_MODE_APPEND: _ClassVar[WriteMode]

class WriteEnding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WRITE_ENDING_UNSPECIFIED: _ClassVar[WriteEnding]
    WRITE_ENDING_CLOSE: _ClassVar[WriteEnding]
    WRITE_ENDING_COMMIT: _ClassVar[WriteEnding]
    WRITE_ENDING_CANCEL: _ClassVar[WriteEnding]

class EntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_KIND_UNSPECIFIED: _ClassVar[EntryKind]
    ENTRY_KIND_FILE: _ClassVar[EntryKind]
    ENTRY_KIND_DIRECTORY: _ClassVar[EntryKind]
    ENTRY_KIND_FILE_AND_DIRECTORY: _ClassVar[EntryKind]

class WalkOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WALK_ORDER_UNSPECIFIED: _ClassVar[WalkOrder]
    WALK_ORDER_KEY: _ClassVar[WalkOrder]
    WALK_ORDER_TREE: _ClassVar[WalkOrder]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
    OUTCOME_YES: _ClassVar[Outcome]
    OUTCOME_NO: _ClassVar[Outcome]

class ErrorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_BACKEND: _ClassVar[ErrorKind]
    KIND_PATH_NOT_FOUND: _ClassVar[ErrorKind]
    KIND_INVALID_PATH: _ClassVar[ErrorKind]
    KIND_INVALID_OFFSET: _ClassVar[ErrorKind]
    KIND_CONFLICT: _ClassVar[ErrorKind]
    KIND_UNSUPPORTED: _ClassVar[ErrorKind]
    KIND_PERMISSION_DENIED: _ClassVar[ErrorKind]
    KIND_UNAUTHENTICATED: _ClassVar[ErrorKind]
    KIND_OUT_OF_SPACE: _ClassVar[ErrorKind]
    KIND_THROTTLED: _ClassVar[ErrorKind]
    KIND_UNAVAILABLE: _ClassVar[ErrorKind]
    KIND_CORRUPTED: _ClassVar[ErrorKind]
    KIND_INVALID_PARAMETER: _ClassVar[ErrorKind]
    KIND_INVALID_CONFIGURATION: _ClassVar[ErrorKind]
WRITE_MODE_UNSPECIFIED: WriteMode
WRITE_MODE_CREATE: WriteMode
WRITE_MODE_APPEND: WriteMode
WRITE_ENDING_UNSPECIFIED: WriteEnding
WRITE_ENDING_CLOSE: WriteEnding
WRITE_ENDING_COMMIT: WriteEnding
WRITE_ENDING_CANCEL: WriteEnding
ENTRY_KIND_UNSPECIFIED: EntryKind
ENTRY_KIND_FILE: EntryKind
ENTRY_KIND_DIRECTORY: EntryKind
ENTRY_KIND_FILE_AND_DIRECTORY: EntryKind
WALK_ORDER_UNSPECIFIED: WalkOrder
WALK_ORDER_KEY: WalkOrder
WALK_ORDER_TREE: WalkOrder
OUTCOME_UNKNOWN: Outcome
OUTCOME_YES: Outcome
OUTCOME_NO: Outcome
KIND_BACKEND: ErrorKind
KIND_PATH_NOT_FOUND: ErrorKind
KIND_INVALID_PATH: ErrorKind
KIND_INVALID_OFFSET: ErrorKind
KIND_CONFLICT: ErrorKind
KIND_UNSUPPORTED: ErrorKind
KIND_PERMISSION_DENIED: ErrorKind
KIND_UNAUTHENTICATED: ErrorKind
KIND_OUT_OF_SPACE: ErrorKind
KIND_THROTTLED: ErrorKind
KIND_UNAVAILABLE: ErrorKind
KIND_CORRUPTED: ErrorKind
KIND_INVALID_PARAMETER: ErrorKind
KIND_INVALID_CONFIGURATION: ErrorKind

class NegotiateRequest(_message.Message):
    __slots__ = ("min_version", "max_version", "program", "capabilities")
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    min_version: int
    max_version: int
    program: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, min_version: _Optional[int] = ..., max_version: _Optional[int] = ..., program: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ...) -> None: ...

class NegotiateReply(_message.Message):
    __slots__ = ("version", "min_version", "max_version", "program", "capabilities", "driver")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    DRIVER_FIELD_NUMBER: _ClassVar[int]
    version: int
    min_version: int
    max_version: int
    program: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    driver: str
    def __init__(self, version: _Optional[int] = ..., min_version: _Optional[int] = ..., max_version: _Optional[int] = ..., program: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., driver: _Optional[str] = ...) -> None: ...

class OpenRequest(_message.Message):
    __slots__ = ("driver", "parameters")
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    DRIVER_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    driver: str
    parameters: _containers.MessageMap[str, Value]
    def __init__(self, driver: _Optional[str] = ..., parameters: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("boolean", "integer", "number", "text", "list", "map")
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    boolean: bool
    integer: int
    number: float
    text: str
    list: ValueList
    map: ValueMap
    def __init__(self, boolean: _Optional[bool] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., text: _Optional[str] = ..., list: _Optional[_Union[ValueList, _Mapping]] = ..., map: _Optional[_Union[ValueMap, _Mapping]] = ...) -> None: ...

class ValueList(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, values: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class ValueMap(_message.Message):
    __slots__ = ("values",)
    class ValuesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.MessageMap[str, Value]
    def __init__(self, values: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class OpenReply(_message.Message):
    __slots__ = ("lacking", "path_limit", "component_limit", "key_prefix")
    LACKING_FIELD_NUMBER: _ClassVar[int]
    PATH_LIMIT_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    KEY_PREFIX_FIELD_NUMBER: _ClassVar[int]
    lacking: _containers.RepeatedScalarFieldContainer[str]
    path_limit: int
    component_limit: int
    key_prefix: str
    def __init__(self, lacking: _Optional[_Iterable[str]] = ..., path_limit: _Optional[int] = ..., component_limit: _Optional[int] = ..., key_prefix: _Optional[str] = ...) -> None: ...

class HealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class HealthReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetContentRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class ContentReply(_message.Message):
    __slots__ = ("head", "data")
    HEAD_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    head: ContentHead
    data: bytes
    def __init__(self, head: _Optional[_Union[ContentHead, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class ContentHead(_message.Message):
    __slots__ = ("size", "version")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    size: int
    version: str
    def __init__(self, size: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class PutContentRequest(_message.Message):
    __slots__ = ("path", "data", "last")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    path: str
    data: bytes
    last: bool
    def __init__(self, path: _Optional[str] = ..., data: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class PutContentReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReadRequest(_message.Message):
    __slots__ = ("path", "offset", "length", "version")
    PATH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    path: str
    offset: int
    length: int
    version: str
    def __init__(self, path: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class WriteRequest(_message.Message):
    __slots__ = ("open", "chunk", "ending")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    ENDING_FIELD_NUMBER: _ClassVar[int]
    open: WriteOpen
    chunk: WriteChunk
    ending: WriteEnding
    def __init__(self, open: _Optional[_Union[WriteOpen, _Mapping]] = ..., chunk: _Optional[_Union[WriteChunk, _Mapping]] = ..., ending: _Optional[_Union[WriteEnding, str]] = ...) -> None: ...

class WriteOpen(_message.Message):
    __slots__ = ("path", "mode")
    PATH_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    path: str
    mode: WriteMode
    def __init__(self, path: _Optional[str] = ..., mode: _Optional[_Union[WriteMode, str]] = ...) -> None: ...

class WriteChunk(_message.Message):
    __slots__ = ("sequence", "data", "last")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    data: bytes
    last: bool
    def __init__(self, sequence: _Optional[int] = ..., data: _Optional[bytes] = ..., last: _Optional[bool] = ...) -> None: ...

class WriteReply(_message.Message):
    __slots__ = ("opened", "accepted", "refused", "ended")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    opened: WriteOpened
    accepted: WriteAccepted
    refused: WriteRefused
    ended: WriteEnded
    def __init__(self, opened: _Optional[_Union[WriteOpened, _Mapping]] = ..., accepted: _Optional[_Union[WriteAccepted, _Mapping]] = ..., refused: _Optional[_Union[WriteRefused, _Mapping]] = ..., ended: _Optional[_Union[WriteEnded, _Mapping]] = ...) -> None: ...

class WriteOpened(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    def __init__(self, size: _Optional[int] = ...) -> None: ...

class WriteAccepted(_message.Message):
    __slots__ = ("sequence", "size")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    size: int
    def __init__(self, sequence: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class WriteRefused(_message.Message):
    __slots__ = ("sequence", "error")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    error: Error
    def __init__(self, sequence: _Optional[int] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class WriteEnded(_message.Message):
    __slots__ = ("size",)
    SIZE_FIELD_NUMBER: _ClassVar[int]
    size: int
    def __init__(self, size: _Optional[int] = ...) -> None: ...

class StatRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class StatReply(_message.Message):
    __slots__ = ("info",)
    INFO_FIELD_NUMBER: _ClassVar[int]
    info: FileInfo
    def __init__(self, info: _Optional[_Union[FileInfo, _Mapping]] = ...) -> None: ...

class FileInfo(_message.Message):
    __slots__ = ("path", "kind", "size", "modified", "version")
    PATH_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    path: str
    kind: EntryKind
    size: int
    modified: _timestamp_pb2.Timestamp
    version: str
    def __init__(self, path: _Optional[str] = ..., kind: _Optional[_Union[EntryKind, str]] = ..., size: _Optional[int] = ..., modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[str] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class ListReply(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[FileInfo]
    def __init__(self, entries: _Optional[_Iterable[_Union[FileInfo, _Mapping]]] = ...) -> None: ...

class WalkRequest(_message.Message):
    __slots__ = ("start", "more", "skip")
    START_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    SKIP_FIELD_NUMBER: _ClassVar[int]
    start: WalkStart
    more: WalkMore
    skip: WalkSkip
    def __init__(self, start: _Optional[_Union[WalkStart, _Mapping]] = ..., more: _Optional[_Union[WalkMore, _Mapping]] = ..., skip: _Optional[_Union[WalkSkip, _Mapping]] = ...) -> None: ...

class WalkStart(_message.Message):
    __slots__ = ("path", "order", "start_after", "credit")
    PATH_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    START_AFTER_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    path: str
    order: WalkOrder
    start_after: str
    credit: int
    def __init__(self, path: _Optional[str] = ..., order: _Optional[_Union[WalkOrder, str]] = ..., start_after: _Optional[str] = ..., credit: _Optional[int] = ...) -> None: ...

class WalkMore(_message.Message):
    __slots__ = ("credit",)
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    credit: int
    def __init__(self, credit: _Optional[int] = ...) -> None: ...

class WalkSkip(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class WalkReply(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[FileInfo]
    def __init__(self, entries: _Optional[_Iterable[_Union[FileInfo, _Mapping]]] = ...) -> None: ...

class RenameRequest(_message.Message):
    __slots__ = ("to",)
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    to: str
    def __init__(self, to: _Optional[str] = ..., **kwargs) -> None: ...

class RenameReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class DeleteReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class UploadsRequest(_message.Message):
    __slots__ = ("below",)
    BELOW_FIELD_NUMBER: _ClassVar[int]
    below: str
    def __init__(self, below: _Optional[str] = ...) -> None: ...

class UploadsReply(_message.Message):
    __slots__ = ("uploads",)
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[UploadInfo]
    def __init__(self, uploads: _Optional[_Iterable[_Union[UploadInfo, _Mapping]]] = ...) -> None: ...

class UploadInfo(_message.Message):
    __slots__ = ("path", "size", "modified", "id")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MODIFIED_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    modified: _timestamp_pb2.Timestamp
    id: str
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., modified: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., id: _Optional[str] = ...) -> None: ...

class AbortUploadRequest(_message.Message):
    __slots__ = ("upload",)
    UPLOAD_FIELD_NUMBER: _ClassVar[int]
    upload: UploadInfo
    def __init__(self, upload: _Optional[_Union[UploadInfo, _Mapping]] = ...) -> None: ...

class AbortUploadReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RedirectUrlRequest(_message.Message):
    __slots__ = ("path", "method", "headers", "client_address", "expiry")
    PATH_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    path: str
    method: str
    headers: _containers.RepeatedCompositeFieldContainer[Header]
    client_address: str
    expiry: _duration_pb2.Duration
    def __init__(self, path: _Optional[str] = ..., method: _Optional[str] = ..., headers: _Optional[_Iterable[_Union[Header, _Mapping]]] = ..., client_address: _Optional[str] = ..., expiry: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Header(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class RedirectUrlReply(_message.Message):
    __slots__ = ("url",)
    URL_FIELD_NUMBER: _ClassVar[int]
    url: str
    def __init__(self, url: _Optional[str] = ...) -> None: ...

class ExamineRequest(_message.Message):
    __slots__ = ("scratch",)
    SCRATCH_FIELD_NUMBER: _ClassVar[int]
    scratch: str
    def __init__(self, scratch: _Optional[str] = ...) -> None: ...

class ExamineReply(_message.Message):
    __slots__ = ("findings",)
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    def __init__(self, findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("what", "outcome", "is_surprise", "detail")
    WHAT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    IS_SURPRISE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    what: str
    outcome: Outcome
    is_surprise: bool
    detail: str
    def __init__(self, what: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., is_surprise: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("kind", "driver", "operation", "path", "reason", "causes", "offset", "size", "retry_after", "parameter")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DRIVER_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    kind: ErrorKind
    driver: str
    operation: str
    path: str
    reason: str
    causes: _containers.RepeatedScalarFieldContainer[str]
    offset: int
    size: int
    retry_after: _duration_pb2.Duration
    parameter: str
    def __init__(self, kind: _Optional[_Union[ErrorKind, str]] = ..., driver: _Optional[str] = ..., operation: _Optional[str] = ..., path: _Optional[str] = ..., reason: _Optional[str] = ..., causes: _Optional[_Iterable[str]] = ..., offset: _Optional[int] = ..., size: _Optional[int] = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., parameter: _Optional[str] = ...) -> None: ...
