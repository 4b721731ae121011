"""The state of the service, for operators and auditors: a page, and the same as JSON.

It tells numbers and names of parts; no person, no notebook, no value of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import redis
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Permission
from accounts.policies import permission_blockers, require
from accounts.requests import SignedInRequest, signed_in
from config.health import Part, remembered_parts
from runner.operations import Load, load
from runner.services.heartbeats import PartsAlive, parts_alive
from runner.workflow import Status

LOOK_BACK = timedelta(hours=24)
#: Layers whose own names are short for something.
LAYER_WORDS = {
    "mount": "Mounts",
    "pid": "Processes",
    "ipc": "Shared memory",
    "uts": "Host name",
    "user": "Users",
    "seccomp": "System calls",
    "rlimits": "Resource limits",
    "uid_per_run": "User per run",
    "cgroup": "Control group",
}


@dataclass(frozen=True)
class State:
    """Everything that the page shows."""

    seen_at: datetime
    parts: dict[str, Part]
    kernels: PartsAlive
    load: Load

    @property
    def is_ready(self) -> bool:
        """Tell whether every part is ready."""
        return all(part.ready for part in self.parts.values())

    @property
    def named_parts(self) -> list[tuple[str, Part]]:
        """Every part with its name in words."""
        return [(_words(name), part) for name, part in self.parts.items()]

    @property
    def named_layers(self) -> list[tuple[str, dict[str, Any]]]:
        """Every layer of confinement with its name in words."""
        return [
            (LAYER_WORDS.get(name) or _words(name), layer)
            for name, layer in self.kernels.layers.items()
        ]

    @property
    def swept_at(self) -> datetime | None:
        """When the kernel host was seen last."""
        return parse_datetime(self.kernels.swept_at)

    @property
    def ended(self) -> list[tuple[str, int]]:
        """How runs ended, in words, the most frequent first."""
        counted = sorted(self.load.ended.items(), key=lambda item: -item[1])
        return [(Status(status).label, count) for status, count in counted]


def _words(name: str) -> str:
    """Return `data_source:hospital` as `Data source hospital`."""
    return name.replace("_", " ").replace(":", " ").capitalize()


def state_for(user: User, *, now: datetime) -> State:
    """Return the state of the service.  Raises NotAllowed."""
    require(permission_blockers(user, Permission.OPERATIONS_READ))
    try:
        kernels = parts_alive()
    except redis.RedisError:
        kernels = PartsAlive()
    return State(
        seen_at=now,
        parts=remembered_parts(),
        kernels=kernels,
        load=load(since=now - LOOK_BACK, now=now),
    )


@require_GET
def status_page(request: SignedInRequest) -> HttpResponse:
    """The parts, the kernel host, the queue and how the runs of a day went."""
    state = state_for(request.user, now=timezone.now())
    return render(request, "status.html", {"state": state})


class PartSerializer(serializers.Serializer[Any]):
    """One part of the service."""

    ready = serializers.BooleanField()
    detail = serializers.CharField()


class SpreadSerializer(serializers.Serializer[Any]):
    """How long half and 19 of 20 took at most."""

    median_ms = serializers.IntegerField(allow_null=True)
    p95_ms = serializers.IntegerField(allow_null=True)


class LoadSerializer(serializers.Serializer[Any]):
    """Runs and previews, now and since a time."""

    since = serializers.DateTimeField()
    queued = serializers.IntegerField()
    under_way = serializers.IntegerField()
    longest_wait_ms = serializers.IntegerField(allow_null=True)
    ended = serializers.DictField(child=serializers.IntegerField())
    start = SpreadSerializer()
    run = SpreadSerializer()


class LayerSerializer(serializers.Serializer[Any]):
    """One layer of confinement, as the kernel host's self-test saw it."""

    holds = serializers.BooleanField()
    seen = serializers.CharField()


class PoolSerializer(serializers.Serializer[Any]):
    """Kernels that wait, and how kernels of their kind are started."""

    environment = serializers.CharField()
    kernel_name = serializers.CharField()
    size = serializers.IntegerField()
    ready = serializers.IntegerField()
    launcher = serializers.CharField(allow_null=True)
    # Beyond those that every kernel has; an older kernel host says nothing of them.
    layers = serializers.DictField(child=LayerSerializer(), default=dict)


class KernelHostSerializer(serializers.Serializer[Any]):
    """The kernel host, as the latest sweep saw it."""

    state = serializers.CharField(source="kernel_host")
    swept_at = serializers.CharField()
    degraded = serializers.BooleanField()
    active = serializers.IntegerField()
    layers = serializers.DictField(child=LayerSerializer())
    pool = PoolSerializer(many=True)


class StateSerializer(serializers.Serializer[Any]):
    """The state of the service."""

    seen_at = serializers.DateTimeField()
    is_ready = serializers.BooleanField()
    parts = serializers.DictField(child=PartSerializer())
    kernel_host = KernelHostSerializer(source="kernels")
    runs = LoadSerializer(source="load")


class StatusView(APIView):
    """The state of the service."""

    @extend_schema(responses=StateSerializer)
    def get(self, request: Request) -> Response:
        """Answer what the page shows; for who may see it."""
        state = state_for(signed_in(request), now=timezone.now())
        return Response(StateSerializer(state).data)
