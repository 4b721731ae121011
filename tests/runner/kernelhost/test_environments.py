"""Which directories a kernel needs, and which names lead nowhere."""

import hashlib
import json

import pytest

from runner.kernelhost.environments import (
    INSIDE,
    Bind,
    EnvironmentDiffers,
    UnknownEnvironment,
    resolve,
)


def python_prefix(root):
    (root / "bin").mkdir(parents=True)
    (root / "lib" / "python3.11").mkdir(parents=True)
    (root / "bin" / "python3.11").write_text("")
    (root / "bin" / "python3").symlink_to("python3.11")
    return root


def environment(
    root, interpreter, argv=("python", "-m", "k", "-f", "{connection_file}"), **spec
):
    kernels = root / "e" / "share" / "jupyter" / "kernels" / "k"
    kernels.mkdir(parents=True)
    (root / "e" / "bin").mkdir()
    (root / "e" / "bin" / "python").symlink_to("python3")
    (root / "e" / "bin" / "python3").symlink_to(interpreter)
    (kernels / "kernel.json").write_text(json.dumps({"argv": list(argv), **spec}))
    return root


def test_only_the_interpreter_of_a_private_home_is_shown(tmp_path):
    prefix = python_prefix(tmp_path / "home" / ".pyenv" / "versions" / "3.11")
    (tmp_path / "home" / "diary").write_text("private")
    found = resolve(
        environment(tmp_path / "envs", prefix / "bin" / "python3"), "e", "k"
    )
    assert Bind(str(prefix), str(prefix)) in found.binds
    assert all(
        "home" not in bind.source or bind.source == str(prefix) for bind in found.binds
    )


def test_an_interpreter_behind_a_linked_directory_is_shown_where_the_link_leads(
    tmp_path,
):
    prefix = python_prefix(tmp_path / "uv" / "cpython-3.11.7")
    (tmp_path / "uv" / "cpython-3.11").symlink_to("cpython-3.11.7")
    linked = tmp_path / "uv" / "cpython-3.11"
    found = resolve(
        environment(tmp_path / "envs", linked / "bin" / "python3"), "e", "k"
    )
    assert Bind(str(prefix), str(linked)) in found.binds


def test_a_link_in_somebody_s_bin_does_not_show_their_home(tmp_path):
    prefix = python_prefix(tmp_path / "opt" / "python")
    (tmp_path / "home" / "bin").mkdir(parents=True)
    (tmp_path / "home" / "bin" / "python").symlink_to(prefix / "bin" / "python3")
    found = resolve(
        environment(tmp_path / "envs", tmp_path / "home" / "bin" / "python"), "e", "k"
    )
    assert str(tmp_path / "home") not in [bind.source for bind in found.binds]
    assert str(tmp_path / "home" / "bin" / "python") in [
        link.target for link in found.links
    ]


def test_paths_of_this_machine_are_translated(tmp_path):
    root = tmp_path / "envs"
    prefix = python_prefix(tmp_path / "py")
    made = environment(
        root,
        prefix / "bin" / "python3",
        argv=[
            f"{root}/e/bin/python",
            "-m",
            "k",
            "{resource_dir}/x",
            "-f",
            "{connection_file}",
        ],
        env={"WHERE": f"{root}/e/etc"},
        metadata={"supported_encryption": ["curve"]},
    )
    found = resolve(made, "e", "k")
    assert found.argv[0] == f"{INSIDE}/bin/python"
    assert found.argv[3] == f"{INSIDE}/share/jupyter/kernels/k/x"
    assert dict(found.env) == {"WHERE": f"{INSIDE}/etc"}
    assert found.encrypts is True


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("..", "k"),
        ("e/../e", "k"),
        ("", "k"),
        ("e", "../k"),
        ("e", ".k"),
        ("e", "x"),
        ("f", "k"),
    ],
)
def test_other_names_lead_nowhere(tmp_path, name, kernel):
    prefix = python_prefix(tmp_path / "py")
    with pytest.raises(UnknownEnvironment):
        resolve(
            environment(tmp_path / "envs", prefix / "bin" / "python3"), name, kernel
        )


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"argv": []}', '{"argv": "python"}'])
def test_a_kernelspec_that_says_nothing_is_refused(tmp_path, text):
    prefix = python_prefix(tmp_path / "py")
    made = environment(tmp_path / "envs", prefix / "bin" / "python3")
    (made / "e" / "share" / "jupyter" / "kernels" / "k" / "kernel.json").write_text(
        text
    )
    with pytest.raises(UnknownEnvironment):
        resolve(made, "e", "k")


def test_an_environment_is_what_its_lock_says(tmp_path):
    root = environment(tmp_path, python_prefix(tmp_path / "python") / "bin" / "python3")
    (root / "e" / "lock.txt").write_text("pandas==3.0.0")
    found = resolve(root, "e", "k")
    found.require_lock(hashlib.sha256(b"pandas==3.0.0").hexdigest())
    with pytest.raises(EnvironmentDiffers):
        found.require_lock(hashlib.sha256(b"pandas==2.9.9").hexdigest())


def test_an_environment_whose_build_did_not_end_is_nothing_that_was_approved(tmp_path):
    root = environment(tmp_path, python_prefix(tmp_path / "python") / "bin" / "python3")
    with pytest.raises(EnvironmentDiffers):
        resolve(root, "e", "k").require_lock(hashlib.sha256(b"").hexdigest())
