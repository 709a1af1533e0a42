"""Threads that work for the one who asks."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


class Pool(ThreadPoolExecutor):
    """Each piece of work sees the context of whoever submits it, so that log lines say what they are about."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """In a copy of the context: what is noted there stays there."""
        return super().submit(copy_context().run, fn, *args, **kwargs)
