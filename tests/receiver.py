"""A server that keeps what it is sent: LangSmith's runs, and what OpenTelemetry's protocol brings."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Sent(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: Any
    body: bytes


class Receiver:
    """Keeps what it is sent, and answers everything with an empty object.

    Attributes:
        sent: What came, in order.
        url: Where it is.
    """

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        sent = self.sent

        class Handler(BaseHTTPRequestHandler):
            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                sent.append(Sent(self.command, self.path, self.headers, body))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PATCH = _take  # noqa: N815 - the library's names

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def runs(self) -> list[dict[str, Any]]:
        """LangSmith's runs, each as its start and its end together say."""
        found: dict[str, dict[str, Any]] = {}
        for request in self.sent:
            if not request.path.endswith("/runs/multipart"):
                continue
            for name, value in _parts(request):
                _, run_id, *field = name.split(".")
                said = {field[0]: value} if field else value
                run = found.setdefault(run_id, {})
                run.update({key: kept for key, kept in said.items() if kept is not None})
        return list(found.values())

    def spans(self) -> list[dict[str, Any]]:
        """OpenTelemetry's spans: name, attributes, ids."""
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        found = []
        for message in self._messages("/traces", ExportTraceServiceRequest):
            for resource in message.resource_spans:
                for scope in resource.scope_spans:
                    found += [_span(span) for span in scope.spans]
        return found

    def metrics(self) -> dict[str, list[dict[str, Any]]]:
        """The points of OpenTelemetry's metrics by name, as each process last said them.

        A point has its attributes, and its `value`: a histogram's sum.
        """
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )

        last: dict[Any, dict[str, list[dict[str, Any]]]] = {}
        for message in self._messages("/metrics", ExportMetricsServiceRequest):
            for resource in message.resource_metrics:
                named = [m for scope in resource.scope_metrics for m in scope.metrics]
                who = str(resource.resource)
                last.setdefault(who, {}).update({m.name: _points(m) for m in named})
        found: dict[str, list[dict[str, Any]]] = {}
        for said in last.values():
            for name, points in said.items():
                found.setdefault(name, []).extend(points)
        return found

    def _messages(self, ending: str, kind: Any) -> Iterator[Any]:
        for request in self.sent:
            if request.path.endswith(ending):
                message = kind()
                message.ParseFromString(request.body)
                yield message


def _parts(request: Sent) -> list[tuple[str, Any]]:
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    message: Any = BytesParser(policy=HTTP).parsebytes(head + request.body)
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            json.loads(part.get_payload(decode=True)),
        )
        for part in message.iter_parts()
    ]


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _points(metric: Any) -> list[dict[str, Any]]:
    kind = metric.WhichOneof("data")
    return [
        {
            "attributes": _values(point.attributes),
            "value": point.sum
            if kind == "histogram"
            else getattr(point, point.WhichOneof("value")),
        }
        for point in getattr(metric, kind).data_points
    ]


def _span(span: Any) -> dict[str, Any]:
    values = _values(span.attributes)
    return {
        "name": span.name,
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex() or None,
        "trace": span.trace_id.hex(),
        "attributes": values,
    }
