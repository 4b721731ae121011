"""Which imports the environment cannot satisfy."""

import ast
import sys
from collections.abc import Iterator

from gallery.findings.cells import CheckedNotebook
from gallery.findings.model import Finding

# Import name → name of the package, where they differ.
_PACKAGES = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "IPython": "ipython",
    "mpl_toolkits": "matplotlib",
    "pylab": "matplotlib",
    "psycopg_binary": "psycopg-binary",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}


def check_imports(notebook: CheckedNotebook, packages: set[str]) -> Iterator[Finding]:
    """Yield imports of packages that are not among ``packages``; nothing when no package is known."""
    known = {_normal(package) for package in packages}
    if not known:
        return
    told: set[str] = set()
    for cell in notebook.cells:
        for node in ast.walk(cell.tree) if cell.tree else ():
            for module in _modules(node):
                top = module.partition(".")[0]
                if top not in told and not _is_there(top, known):
                    told.add(top)
                    message = f"“{top}” is not in this environment, so the notebook would stop here."
                    yield Finding(
                        "missing_package",
                        "error",
                        message,
                        cell.index,
                        getattr(node, "lineno", None),
                    )


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["a module beside the notebook"] if node.level else [node.module or ""]
    return []


def _is_there(top: str, known: set[str]) -> bool:
    return top in sys.stdlib_module_names or _normal(_PACKAGES.get(top, top)) in known


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
