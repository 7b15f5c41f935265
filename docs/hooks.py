"""What MkDocs calls when it builds the site: pages from elsewhere in the repository, links to it, the API's pages."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from api_pages import contents, pages

ROOT = Path(__file__).parent.parent
BROUGHT = {  # pages of the site by their file in the repository
    "contrib/sdk-web/README.md": "sdk-web.md",
    "contrib/sdk-python/README.md": "sdk-python.md",
    "contrib/sdk-unity/README.md": "sdk-unity.md",
    "contrib/deploy/README.md": "deploy.md",
    "CHANGELOG.md": "changes.md",
}
PICTURES = "contrib/screenshots"
ICON = "saastracker/web/static/icon.svg"
OPERATIONS = "<!-- operations -->\n"  # in api.md: what the others describe
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The API's pages follow `api.md` in the menu."""
    for part in config.nav or []:
        for each in next(iter(part.values())):
            if isinstance(each, dict) and "API" in each:
                each["API"] += [{page.title: page.name} for page in pages()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for path, name in BROUGHT.items():
        files.append(File.generated(config, name, content=(ROOT / path).read_text(encoding="utf-8")))
    for page in pages():
        files.append(File.generated(config, page.name, content=page.text))
    files.append(File.generated(config, "icon.svg", abs_src_path=str(ROOT / ICON)))
    for picture in sorted((ROOT / PICTURES).glob("*.png")):
        files.append(File.generated(config, f"screenshots/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    if OPERATIONS in markdown:
        markdown = markdown.replace(OPERATIONS, contents())
    source = next((path for path, name in BROUGHT.items() if name == page.file.src_uri), f"docs/{page.file.src_uri}")
    parts = FENCE.split(markdown)
    return "".join(part if part.startswith("```") else linked(part, source, files) for part in parts)


def linked(text: str, source: str, files: Files) -> str:
    """Links of a file of the repository as the site has them. Raises PluginError for what is not there."""

    def put(found: re.Match[str]) -> str:
        picture, shown_as, target = found.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path or (source.startswith("docs/") and files.get_file_from_path(path)):
            return found[0]
        file = ((ROOT / source).parent / path).resolve()
        if not file.exists():
            raise PluginError(f"{source}: a link leads to {target}, which is not there")
        relative = file.relative_to(ROOT).as_posix()
        if relative.startswith("docs/"):
            return f"{picture}[{shown_as}]({target.rpartition('/')[2]})"
        if relative.startswith(PICTURES):
            return f"{picture}[{shown_as}](screenshots/{file.name})"
        if relative == "README.md":
            return f"[{shown_as}](index.md)"
        if relative in BROUGHT:
            return f"[{shown_as}]({BROUGHT[relative]}{'#' + anchor if anchor else ''})"
        return shown_as if shown_as in {path, relative} else f"{shown_as} (`{relative}`)"

    return LINK.sub(put, text)
