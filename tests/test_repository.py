"""What is true of the repository as a whole: layout, documents, templates, no leftovers."""

import ast
import importlib
import re
import subprocess
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.support.environment import REPOSITORY

DEBIAN_12 = {"python_version": "3.11", "python_full_version": "3.11.2"}
ENVIRONMENTS = ("python-analytics", "python-forms", "python-widgets", "bash")
LONGEST_FILE = 400
LONGEST_STYLE_SHEET = 600  # one for the whole site
LONGEST_FUNCTION = 40
PINNED = re.compile(
    r"^(requirements[\w-]*|(environments|frontend)/[\w-]+|tests/benchmarks/(papermill|voila))\.txt$"
)
GENERATED = re.compile(
    r"^static/vendor/|/migrations/|\.ipynb$|\.min\.(js|css)$|^LICENSE$"
)


def tracked():
    listing = subprocess.run(
        ["git", "ls-files", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        name for name in listing.stdout.split("\0") if (REPOSITORY / name).is_file()
    ]


FILES = tracked()


def text_of(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def is_text(name):
    return b"\0" not in (REPOSITORY / name).read_bytes()[:8000]


def named(pattern):
    return [name for name in FILES if re.search(pattern, name)]


def test_the_layout_is_what_the_architecture_says():
    top = {name.split("/")[0] for name in FILES}
    assert {"config", "accounts", "audit", "gallery", "reviews", "runner"} <= top
    assert {"templates", "static", "tests", "docker", "docs", "environments"} <= top
    assert not named(r"(^|/)utils\.py$|(^|/)signals\.py$")


def longest(name):
    return LONGEST_STYLE_SHEET if name.endswith(".css") else LONGEST_FILE


def test_no_file_is_a_link():
    """What it leads to is on the machine of whoever made it."""
    listing = subprocess.run(
        ["git", "ls-files", "--stage", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    link = "120000"
    assert [each for each in listing.stdout.split("\0") if each.startswith(link)] == []


def test_no_file_is_longer_than_four_hundred_lines():
    long = {
        name: count
        for name in FILES
        if not PINNED.match(name) and not GENERATED.search(name) and is_text(name)
        if (count := text_of(name).count("\n")) > longest(name)
    }
    assert long == {}


def functions(name):
    """Each function and the lines of its body, without signature and docstring."""
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            yield f"{name}:{node.name}", lines


def test_no_function_is_longer_than_forty_lines():
    long = {
        where: lines
        for name in named(r"\.py$")
        if not GENERATED.search(name) and not name.startswith("tests/")
        for where, lines in functions(name)
        if lines > LONGEST_FUNCTION
    }
    assert long == {}


FORBIDDEN = {
    "a path of some machine": r"(?<![\w.$}>)/-])/(work/|root/[\w.]|home/(?!kernel)\w+/)",
    "a package registry": r"pypi\.(org|python)|pythonhosted|registry\.npmjs|deb\.debian\.org",
    "a note to finish later": r"\b(TODO|FIXME|XXX)\b",
}
SPEAKS_OF_THEM = {"tests/test_repository.py"}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what):
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{name}: {match.group()}"
        for name in FILES
        if name not in SPEAKS_OF_THEM and not GENERATED.search(name) and is_text(name)
        if (match := pattern.search(text_of(name)))
    ]
    assert found == []


def test_make_has_every_command_that_the_readme_names():
    rules = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    used = set(re.findall(r"\bmake ([a-z-]+)", text_of("README.md")))
    assert used
    assert used <= rules


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", named(r"\.md$"))
def test_links_between_documents_resolve(name):
    for target in LINK.findall(text_of(name)):
        if target.startswith(("http://", "https://", "#", "mailto:")):
            continue
        path = (REPOSITORY / name).parent / target.split("#")[0]
        assert path.exists(), target


def test_every_document_is_reachable_from_the_index():
    seen, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = LINK.findall(page.read_text(encoding="utf-8"))
        local = [link.split("#")[0] for link in links if ":" not in link]
        waiting += [(page.parent / link).resolve() for link in local if link]
    documents = {REPOSITORY / name for name in named(r"^docs/(?!adr/).*\.md$")}
    assert documents - seen == set()


@pytest.mark.security
@pytest.mark.parametrize("name", named(r"^templates/.*\.html$"))
def test_templates_hold_no_inline_script_or_style(name):
    text = text_of(name)
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert not re.search(r"<style\b|\sstyle=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"(src|href)=[\"'](https?:)?//", text)


def test_every_dependency_says_why_it_is_there():
    for name in named(r"^(requirements|environments|frontend|tests/benchmarks).*\.in$"):
        for line in text_of(name).splitlines():
            if line and not line.startswith(("#", "-")):
                assert re.match(r"^\S+  # \S", line), f"{name}: {line}"


def test_every_dependency_is_pinned_with_hashes():
    for name in named(r"^(requirements|environments|frontend|tests/benchmarks).*\.in$"):
        pinned = text_of(str(Path(name).with_suffix(".txt"))).lower().replace("_", "-")
        for line in text_of(name).splitlines():
            if line and not line.startswith(("#", "-")):
                wanted = re.split(r"[\[=<>~ ]", line)[0].lower().replace("_", "-")
                assert re.search(
                    rf"^{re.escape(wanted)}==\S+ \\$", pinned, re.MULTILINE
                )


@pytest.mark.parametrize(
    "environment", [".venv", *(f".environments/{name}" for name in ENVIRONMENTS)]
)
def test_everything_installs_on_debian_12(environment):
    """Pins made with a newer 3.11 may want what Debian's is not, or leave out what it needs."""
    folders = map(str, (REPOSITORY / environment).glob("lib/python*/site-packages"))
    found = list(distributions(path=list(folders)))
    names = {canonicalize_name(each.metadata["Name"]) for each in found}
    for each in found:
        assert DEBIAN_12["python_full_version"] in SpecifierSet(
            each.metadata["Requires-Python"] or ""
        ), each.metadata["Name"]
        for wanted in map(Requirement, each.requires or ()):
            if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
                needed = wanted.marker.evaluate({"extra": "", **DEBIAN_12})
                assert not needed or canonicalize_name(wanted.name) in names, wanted


def test_what_the_product_imports_is_what_it_installs():
    """Tests and checks install more, which would hide what a newcomer misses."""
    pinned = {
        canonicalize_name(name)
        for name in re.findall(
            r"^([\w.-]+)(?:\[.*\])?==", text_of("requirements.txt"), re.MULTILINE
        )
    }
    provided = packages_distributions()
    missing = {
        module
        for name in named(r"^(config|accounts|audit|gallery|reviews|runner)/.*\.py$")
        for module in imported(name)
        if module in provided
        and not pinned & {canonicalize_name(each) for each in provided[module]}
    }
    assert missing == set()


def imported(name):
    """The top-level modules that a file imports."""
    for node in ast.walk(ast.parse(text_of(name))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def test_jupyter_server_stays_out():
    assert "jupyter-server==" not in text_of("requirements.txt")


def test_every_setting_is_documented():
    known = text_of("docs/reference/settings.md")
    pattern = re.compile(r"env\.\w+\(\s*\"([A-Z_]+)\"")
    missing = [
        name
        for name in pattern.findall(text_of("config/settings.py"))
        if f"`{name}`" not in known
    ]
    assert missing == []


@pytest.mark.parametrize(
    "name", named(r"^tests/(benchmarks|soak)/(bench|soak)_\w+\.py$")
)
def test_what_only_runs_when_asked_for_can_still_be_run(name):
    module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
    assert [found for found in vars(module) if found.startswith("test_")]
