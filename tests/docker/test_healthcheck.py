"""What the containers' health checks see."""

import os
import time

import pytest
from django.conf import settings

from docker import healthcheck
from tests.support.fixtures import Site


def test_web_is_asked_as_the_proxy_asks(site: Site, monkeypatch):
    monkeypatch.setenv("APPLICATION_ORIGIN", site.url)
    healthcheck.web(site.port)
    monkeypatch.setenv("APPLICATION_ORIGIN", "https://elsewhere.example.org")
    with pytest.raises(SystemExit, match="400"):
        healthcheck.web(site.port)


def test_a_kernel_host_that_takes_work_is_healthy(kernel_host, monkeypatch):
    monkeypatch.setenv("KERNEL_HOST_SOCKET", settings.KERNEL_HOST_SOCKET)
    healthcheck.kernels()


def test_one_that_refuses_work_is_not(monkeypatch):
    monkeypatch.setenv("KERNEL_HOST_SOCKET", "/nowhere")
    monkeypatch.setattr("runner.kernelhost.client.status", lambda path: {"ok": False})
    with pytest.raises(SystemExit, match="self-test"):
        healthcheck.kernels()


def test_beat_is_healthy_while_it_writes_its_schedule(tmp_path):
    with pytest.raises(SystemExit):
        healthcheck.beat(tmp_path)
    schedule = tmp_path / "schedule.db"
    schedule.touch()
    healthcheck.beat(tmp_path)
    long_ago = time.time() - 3600
    os.utime(schedule, (long_ago, long_ago))
    with pytest.raises(SystemExit, match="lately"):
        healthcheck.beat(tmp_path)
