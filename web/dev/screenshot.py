"""Pictures of the page, of 256 colours: `python web/dev/screenshot.py http://127.0.0.1:8080/ docs/images`.

Four views: live-en, live-en-dark, live-zh (1440 wide) and live-zh-phone (390 wide).
"""

import argparse
import json
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
VIEWS = {
    "live-en": ("en", "light", 1440, 900),
    "live-en-dark": ("en", "dark", 1440, 900),
    "live-zh": ("zh-CN", "light", 1440, 900),
    "live-zh-phone": ("zh-CN", "light", 390, 844),
}


def take(browser: Browser, url: str, view: str, target: Path, *, full: bool, query: str) -> None:
    language, theme, width, height = VIEWS[view]
    context = browser.new_context(viewport={"width": width, "height": height}, locale=language)
    settings = json.dumps({"language": language, "theme": theme})
    context.add_init_script(f"localStorage.setItem('arena.settings', {settings!r})")
    page = context.new_page()
    page.goto(url + query)
    page.wait_for_selector("[data-ready=true] .tag")
    page.wait_for_timeout(1_500)
    page.screenshot(path=target, full_page=full)
    context.close()
    smaller(target)


def smaller(path: Path) -> None:
    """256 colours are enough for a page of few hues; without Pillow the picture stays as it is."""
    try:
        from PIL import Image
    except ImportError:
        return
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--views", nargs="*", default=list(VIEWS), choices=list(VIEWS))
    parser.add_argument("--query", default="", help="for instance ?tab=chat")
    parser.add_argument("--full", action="store_true", help="the whole page, not only what is seen first")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        for view in options.views:
            take(browser, options.url, view, options.folder / f"{view}.png", full=options.full, query=options.query)
        browser.close()


if __name__ == "__main__":
    main()
