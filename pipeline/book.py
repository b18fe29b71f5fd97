"""A Sphinx extension: the buttons of a page, which the theme takes for a page with a source of its own."""


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


def setup(app) -> dict:
    app.connect("config-inited", drop_thebe)
    app.connect("html-page-context", finish_buttons, priority=900)
    return {"parallel_read_safe": True}
