"""A Sphinx extension: the buttons of a page, which the theme takes for a page with a source of its own,
and downloads of what the report holds anyway. ``python -m pipeline.book`` is jupyter-book on all cores.
"""

import functools
import gc
import json
from pathlib import Path, PurePosixPath

from sphinx.addnodes import download_reference
from sphinx.util.osutil import relative_uri

from pipeline import cores


def finish_buttons(app, pagename, templatename, context, doctree) -> None:
    """A run's launch buttons open book/run.ipynb; the download says that it is the executed notebook."""
    is_run = pagename.startswith("book/runs/") and not pagename.endswith("/index")
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            url = button.get("url", "")
            if is_run and url.startswith("http"):
                button["url"] = url.replace(f"{pagename}.ipynb", "book/run.ipynb")
            if button.get("label") == "download-source-button" and button["text"] == ".ipynb":
                button["text"] = "executed .ipynb"


def drop_thebe(app, config) -> None:
    """Leave out what jupyter-book loads for running code in a page: its script names an outside address."""
    scripts = {"init_thebe_core", "update_thebe_context"}
    for listeners in app.events.listeners.values():
        listeners[:] = [one for one in listeners if getattr(one.handler, "__name__", "") not in scripts]


def read_side_by_side(app, config) -> None:
    """Let pages be read on several cores; extensions that do not say that they may keep nothing of a page."""
    for extension in app.extensions.values():
        if extension.parallel_read_safe is None:
            extension.parallel_read_safe = True


def write_all_if_told(app, env) -> list[str]:
    """Write all pages again when what one tells of another changed: titles, numbers, places to link to."""
    titles = {name: title.astext() for name, title in env.titles.items()}
    places = env.domaindata["std"]["labels"], env.domaindata["std"]["anonlabels"]
    cited = [(citation.citation_id, citation.key) for citation in env.domaindata["cite"]["citations"]]
    told = json.dumps(
        [titles, env.toc_secnumbers, env.toc_fignumbers, places, cited], sort_keys=True, default=str
    )
    before, env.binenc_told = getattr(env, "binenc_told", told), told
    return [] if told == before else sorted(env.found_docs)


def drop_orphans(app, error) -> None:
    """Remove images of pages that no longer show them."""
    shown = {name for _, name in app.env.images.values()}
    for path in Path(app.outdir, "_images").glob("*"):
        if path.name not in shown:
            path.unlink()


def held(env, name: str) -> str | None:
    """Where in the report a file of the stage is anyway: as an image, or as the source of a page."""
    if name in env.images:
        return f"_images/{env.images[name][1]}"
    return f"_sources/{name}" if str(PurePosixPath(name).with_suffix("")) in env.all_docs else None


def copy_no_more(app, env) -> None:
    """Do not copy for download what is there anyway."""
    for name in list(env.dlfiles):
        if held(env, name):
            del env.dlfiles[name]


def link_there(app, doctree, page: str) -> None:
    """Let downloads of such files lead there."""
    for node in doctree.findall(download_reference):
        if place := held(app.env, app.env.relfn2path(node["reftarget"], page)[0]):
            node["refuri"] = relative_uri(app.builder.get_target_uri(page), place)


def setup(app) -> dict:
    app.connect("env-updated", copy_no_more)
    app.connect("env-get-updated", write_all_if_told, priority=900)  # when numbers are given
    app.connect("build-finished", drop_orphans)
    app.connect("doctree-resolved", link_there)
    app.connect("config-inited", drop_thebe)
    app.connect("config-inited", read_side_by_side)
    app.connect("html-page-context", finish_buttons, priority=900)
    return {"parallel_read_safe": True}


def main() -> None:
    import jupyter_book.sphinx
    from jupyter_book.cli.main import main as jupyter_book_main

    gc.disable()  # of millions of nodes hardly any is garbage before the end: a fifth of the time
    build = functools.partial(jupyter_book.sphinx.build_sphinx, jobs=cores() + 1)  # one waits for the others
    jupyter_book.sphinx.build_sphinx = build  # its command has no option for it
    jupyter_book_main()


if __name__ == "__main__":
    main()
