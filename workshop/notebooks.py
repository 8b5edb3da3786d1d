"""Execute the committed notebooks and normalise the files, so that running them again changes nothing.

python -m workshop.notebooks      executes all in place, then normalises (make notebooks)

The models that they train end with their kernels, so that no reader's notebook loads them.
"""

import argparse
import hashlib
import os
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from course_utils.files import write_whole
from course_utils.settings import NOTEBOOKS, course_notebooks

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "pygments_lexer": "ipython3",
}
KEPT_CELL_METADATA = {"tags"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SECONDS_FOR_A_CELL = 600


def tagged_sources(notebook: str, tag: str) -> list[str]:
    """The code cells of a notebook of the course, such as "08_vae", that carry a tag, in their order."""
    cells = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells
    return [
        cell.source for cell in cells if cell.cell_type == "code" and tag in cell.metadata.get("tags", [])
    ]


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all cells in place, in a fresh kernel whose working directory is `folder`, and which keeps no models."""
    # Widget states would hold every picture a second time; the committed file shows the static ones.
    client = NotebookClient(
        notebook,
        timeout=SECONDS_FOR_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
    )
    client.execute(env={**os.environ, "COURSE_KEEP_MODELS": "0"})


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Bring the notebook, in place, to the one form that is committed. Nothing a reader sees is changed."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat_minor = 5
    _make_ids_unique(notebook.cells)
    count = 0
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict(
            {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
        )
        cell.source = cell.source.rstrip()
        if cell.cell_type != "code":
            continue
        if cell.source:
            count += 1
        cell.execution_count = count if cell.source else None
        cell.outputs = _merge_streams(cell.outputs)
        for output in cell.outputs:
            _normalise_output(output, cell.execution_count)


def _make_ids_unique(cells: list) -> None:
    """Every cell keeps its id, so that merges find it again; a copied cell gets one of its own."""
    seen: set[str] = set()
    for position, cell in enumerate(cells):
        if cell.get("id") in {None, *seen}:
            text = f"{position} {cell.source}"
            cell.id = hashlib.sha256(text.encode()).hexdigest()[:8]
        seen.add(cell.id)


def _merge_streams(outputs: list) -> list:
    merged: list[nbformat.NotebookNode] = []
    for output in outputs:
        if merged and output.output_type == "stream" and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        else:
            merged.append(output)
    return merged


def _normalise_output(output: nbformat.NotebookNode, count: int | None) -> None:
    if output.output_type == "execute_result":
        output.execution_count = count
    if "data" in output:
        # Without a kernel a widget view shows only an error message; the picture beside it shows the demo.
        output.data.pop(WIDGET_VIEW, None)
        if "text/plain" in output.data:
            output.data["text/plain"] = _without_addresses(output.data["text/plain"])
    if output.output_type == "stream":
        output.text = _without_addresses(output.text)


def _without_addresses(text: str) -> str:
    return re.sub(r"0x[0-9a-fA-F]{6,}", "0x0", text)


def file_text(notebook: nbformat.NotebookNode) -> str:
    """The notebook as it stands in its file."""
    return nbformat.writes(notebook) + "\n"


def is_normalised(path: Path) -> bool:
    """Whether normalising the file would leave it as it is."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    normalise(notebook)
    return file_text(notebook) == text


def main() -> None:
    parser = argparse.ArgumentParser(description="Execute and normalise the notebooks of the course.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: all of them")
    for path in parser.parse_args().notebooks or course_notebooks():
        print(f"running {path.name}", flush=True)
        notebook = nbformat.read(path, as_version=4)
        execute(notebook, path.parent)
        normalise(notebook)
        write_whole({path: file_text(notebook).encode()})


if __name__ == "__main__":
    main()
