"""Servers that stand for Google Cloud Storage and for S3, for tests."""

import contextlib
import functools
import socket
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest

BUCKET = "bucket"
_LOCK = threading.Lock()
_ABSENT = "0"


@contextlib.contextmanager
def google_cloud_storage() -> Iterator[None]:
    """Context in which gs://bucket is a bucket in memory, for child processes, too."""
    from gcp_storage_emulator import server as emulator

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    server = emulator.create_server(
        "127.0.0.1", port, in_memory=True, default_bucket=BUCKET
    )
    handlers = [
        (path, {name: _with_generations(h) for name, h in methods.items()})
        for path, methods in emulator.HANDLERS
    ]
    server.start()
    url = f"http://127.0.0.1:{port}"
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(emulator, "HANDLERS", handlers)
            patch.setenv("STORAGE_EMULATOR_HOST", url)  # of Google's clients
            patch.setenv("TENSORSTORE_GCS_HTTP_URL", url)
            patch.setenv("GOOGLE_CLOUD_PROJECT", "project")
            patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
            yield
    finally:
        server.stop()


def _with_generations(handler: Callable) -> Callable:
    """One request after another, with what TensorStore needs and the emulator lacks.

    These are the generation of an object that is read, and conditions on it.
    """

    @functools.wraps(handler)
    def handle(request: Any, response: Any, storage: Any) -> None:
        with _LOCK:
            now = _generation(request, storage)
            (wanted,) = request.query.get("ifGenerationMatch", [now])
            (unwanted,) = request.query.get("ifGenerationNotMatch", [None])
            if now != wanted:
                _ = request.data  # or the client cannot finish writing
                response.status = HTTPStatus.PRECONDITION_FAILED
            elif now == unwanted:
                response.status = HTTPStatus.NOT_MODIFIED
            else:
                if now != _ABSENT:
                    response["x-goog-generation"] = now
                handler(request, response, storage)

    return handle


def _generation(request: Any, storage: Any) -> str:
    """That of a request's object."""
    from gcp_storage_emulator.exceptions import NotFound

    (name,) = request.query.get("name", [request.params.get("object_id")])
    try:
        about = storage.get_file_obj(request.params.get("bucket_name"), name)
    except NotFound:
        return _ABSENT
    return about["generation"]


@contextlib.contextmanager
def s3() -> Iterator[None]:
    """Context in which s3://bucket is a bucket in memory, for child processes, too."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
            patch.setenv("AWS_ACCESS_KEY_ID", "key")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
            boto3.client("s3").create_bucket(Bucket=BUCKET)
            yield
    finally:
        server.stop()
