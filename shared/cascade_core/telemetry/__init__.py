"""Spans and metrics of requests in OpenTelemetry, made behind the requests.

`names` has every name that is sent. Nothing here imports OpenTelemetry before a program has set it
up, or asked for it.
"""
