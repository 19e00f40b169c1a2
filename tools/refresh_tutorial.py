"""Run the commands of docs/tutorial.md again; replace the output that it shows, and the pictures of the documentation.

    python tools/refresh_tutorial.py [--keep FOLDER]

Each block that starts with ``$ sonotheque`` is run, in order, on a copy of the music that ships. The pictures need chromium.
With ``--keep`` the commands run in FOLDER and their files stay there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from sonotheque.demo import music, unlabelled

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tutorial.md"
PICTURES = ROOT / "docs" / "pictures"
BLOCK = re.compile(r"```console\n\$ sonotheque (?P<arguments>[^\n]*)\n.*?```", flags=re.DOTALL)
SIZE = {"width": 1200, "height": 720}
LARGEST = 280_000  # bytes of a picture


def run(arguments: str, *, folder: Path) -> str:
    """Run one command in a folder with a library of its own, and return what it prints."""
    environment = os.environ | {
        "SONOTHEQUE_LIBRARY": str(folder / "library"),
        "SONOTHEQUE_OFFLINE": "1",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "sonotheque", *arguments.split()]
    print(f"$ sonotheque {arguments}", flush=True)
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return done.stdout.replace(str(folder / "library"), "~/.local/share/sonotheque/library").strip()


def refresh(text: str, *, folder: Path) -> str:
    """Return the page with the output of each of its commands."""
    return BLOCK.sub(
        lambda block: f"```console\n$ sonotheque {block['arguments']}\n{run(block['arguments'], folder=folder)}\n```",
        text,
    )


def draw_map(page: Page, folder: Path) -> None:
    """Take pictures of the map: as it opens, with one track selected, and coloured by errors with a lasso."""
    page.goto((folder / "map.html").as_uri())
    page.wait_for_selector("#plot .main-svg")
    page.wait_for_timeout(2000)
    page.screenshot(path=folder / "map-overview.png")
    page.focus("#plot")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.evaluate("document.activeElement.blur()")  # no frame around the map
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / "map.png")
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="dark")
    page.reload()
    page.wait_for_selector("#plot .main-svg")
    page.select_option("#colour", index=3)  # correct and wrong predictions
    page.click("#lasso")
    area = page.locator("#plot").bounding_box()
    assert area is not None  # noqa: S101
    left, top, right, bottom = (
        area["x"] + area["width"] * 0.45,
        area["y"] + 30,
        area["x"] + area["width"] - 20,
        area["y"] + area["height"] * 0.6,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / "map-dark.png")


def draw_pages(folder: Path) -> None:
    """Take pictures of the pages that the commands wrote."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        page.goto((folder / "Report" / "report.html").as_uri())
        page.screenshot(path=folder / "report.png")
        draw_map(page, folder)
        browser.close()


def shrink(source: Path, target: Path) -> None:
    """Write a picture with at most `LARGEST` bytes, at most 1200 pixels wide."""
    with Image.open(source) as picture:
        for width in (1200, 1000, 900, 800, 700):
            height = round(picture.height * width / picture.width)
            small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
            if picture.height > picture.width:  # inspect: many colours, so a palette
                small = small.quantize(256, method=Image.Quantize.FASTOCTREE)
            small.save(target, optimize=True)
            if target.stat().st_size <= LARGEST:
                return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    kept = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept or name).resolve()
        shutil.copytree(music(), folder / "Music", dirs_exist_ok=True)
        shutil.copytree(unlabelled(), folder / "New", dirs_exist_ok=True)
        PAGE.write_text(refresh(PAGE.read_text(encoding="utf-8"), folder=folder), encoding="utf-8")
        run("evaluate --report Report", folder=folder)
        draw_pages(folder)
        for picture in ("map-overview", "map", "map-dark", "report", "inspect"):
            shrink(folder / f"{picture}.png", PICTURES / f"{picture}.png")


if __name__ == "__main__":
    main()
