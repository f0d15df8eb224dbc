"""Write docs/reference/: python -m tools.docs.reference. A test fails where a page is not current."""

from __future__ import annotations

from pathlib import Path

from tools.docs import exit_codes, options, output_files, python_api, recipes, words
from tools.docs.markdown import page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


def files() -> dict[str, str]:
    """Return the content of all files in docs/reference/, by name."""
    pages = {
        "options.md": options.page_of_options(),
        "recipes.md": recipes.page_of_recipes(),
        "python.md": python_api.page_of_names(),
        "output_files.md": output_files.page_of_files(),
        "exit_codes.md": exit_codes.page_of_codes(),
    }
    pages |= words.pages()
    return {"README.md": _contents(pages), **pages}


def _contents(pages: dict[str, str]) -> str:
    """Return the page that lists the others by their titles."""
    titles = {
        name: text.splitlines()[0].removeprefix("# ") for name, text in pages.items() if name.endswith(".md")
    }
    links = (f"- [{title}]({name})" for name, title in titles.items())
    return page(
        "Reference",
        "Written from the declarations in the code.",
        "\n".join(links),
    )


def write(folder: Path = FOLDER) -> None:
    """Write all files; remove others that an earlier version of this program wrote."""
    content = files()
    for old in folder.rglob("*.*"):
        if old.is_file() and str(old.relative_to(folder)) not in content:
            old.unlink()
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
