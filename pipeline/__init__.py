"""What makes the report out of the package and the notebooks: papermill, jupyter-book, and checks."""
