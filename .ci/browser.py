"""Opens the report in a real browser: nothing is fetched, nothing fails, nothing runs over, and its tools work.

Usage: browser.py PAGE CHROMIUM FOLDER TRAP...   Screenshots go into FOLDER.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


def check(is_so, what):
    if not is_so:
        raise SystemExit(f"browser: {what}")


def opened(browser, page_file, size, theme):
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page, faults = context.new_page(), []
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("request", lambda request: None if request.url.startswith("file:") else faults.append(f"fetched: {request.url}"))
    page.goto(page_file.as_uri())
    return page, faults


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def first_column(page):
    return page.locator("#summary tbody tr:visible th").all_inner_texts()


def sorting_works(page):
    button = page.locator("#summary thead th button").first
    button.click()
    up = first_column(page)
    button.click()
    check(up == sorted(up), f"sorted by name, the traps are {up}")
    check(first_column(page) == up[::-1], "a second click does not turn the order round")
    number = page.locator("#summary thead th button").nth(3)
    number.click()
    column = "[...document.querySelectorAll('#summary td.ratio')].map(td => parseFloat(td.dataset.sort))"
    values = [value for value in page.evaluate(column) if value == value]
    check(values == sorted(values) and values, f"sorted by ratio, the rows are {values}")


def filters_work(page, traps):
    page.fill("#find", traps[0])
    check(traps[0] in first_column(page), f"{traps[0]} is not found")
    page.fill("#find", "no such trap")
    check(first_column(page) == [], "what is not there is found")
    page.fill("#find", "")
    page.select_option("#section", index=1)
    check(0 < len(first_column(page)) < len(traps), "a section has all traps or none")
    page.select_option("#section", index=0)
    check(len(first_column(page)) == len(traps), "traps are missing without a filter")


def theme_works(page):
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(paper)
    page.click("#theme")
    check(page.evaluate(paper) != before, "the theme's button changes nothing")
    page.click("#theme")
    check(page.evaluate(paper) == before, "the theme's button does not change it back")


def named(page):
    """Every drawing says what it shows, or is hidden from whoever can't see it."""
    bare = "[...document.querySelectorAll('svg')].filter(svg => !svg.getAttribute('aria-label') && !svg.closest('[aria-hidden]')).length"
    check(page.evaluate(bare) == 0, "a drawing has no words")


def regions_scroll_and_are_named(page, traps):
    """What can scroll is a region with a name of its own trap, and nothing else is one."""
    boxes = page.evaluate(
        """[...document.querySelectorAll('.scroll')].map(box => ({
            scrolls: box.scrollWidth > box.clientWidth, focus: box.tabIndex === 0, role: box.getAttribute('role'),
            name: box.getAttribute('aria-label') || '', of: box.closest('section').id, said: box.dataset.name || '' }))"""
    )
    for box in boxes:
        is_region = box["focus"] and box["role"] == "region" and box["name"] == box["said"] and box["said"]
        check(bool(is_region) == box["scrolls"], f"{box['said']}: it scrolls ({box['scrolls']}), and is a region ({bool(is_region)})")
        check(box["of"] not in traps or box["said"].startswith(box["of"]), f"{box['said']} does not name {box['of']}")
    bare = "[...document.querySelectorAll('[tabindex]')].filter(box => !box.classList.contains('scroll')).length"
    check(page.evaluate(bare) == 0, "something else can be focused that does nothing")
    check(any(box["scrolls"] for box in boxes), "nothing scrolls: the check checks nothing")


def words_are_large_enough(page, least):
    """No word of a drawing is smaller than this many pixels, or cut off by its edge."""
    small = page.evaluate(
        """least => [...document.querySelectorAll('svg text')].filter(text => text.getClientRects().length).flatMap(text => {
            const svg = text.ownerSVGElement, [edge, box] = [svg.getBoundingClientRect(), text.getBoundingClientRect()];
            const scale = svg.viewBox.baseVal.width ? edge.width / svg.viewBox.baseVal.width : 1;
            const size = parseFloat(getComputedStyle(text).fontSize) * scale;
            const cut = box.left < edge.left - 1 || box.right > edge.right + 1;
            return size < least || cut ? [`${text.closest('section').id}: ${text.textContent} (${size.toFixed(1)} px${cut ? ', cut' : ''})`] : [];
        })""",
        least,
    )
    check(not small, f"{len(small)} words in drawings are too small or cut: {small[:5]}")


def table_keeps_its_meaning(page):
    """Laid out as cards it is still a table to whoever hears it."""
    roles = {"table": "#summary", "row": "#summary tr", "columnheader": "#summary thead th", "rowheader": "#summary tbody th", "cell": "#summary td"}
    for role, which in roles.items():
        without = page.locator(f"{which}:not([role={role}])").count()
        check(page.locator(which).count() > 0 and without == 0, f"{without} of {which} have no role {role}")
    check(page.locator("#summary thead th:visible").count() == 10, "a column's header is hidden")


def main():
    page_file, chromium, folder, traps = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in SIZES:
            for theme in ["light", "dark"]:
                page, faults = opened(browser, page_file, size, theme)
                for trap in traps:
                    check(page.locator(f"section#{trap} h2").count() == 1, f"{trap} has no section")
                    check(page.locator(f"#summary a[href='#{trap}']").count() == 1, f"{trap} has no row")
                check(overflow(page) <= 0, f"{size}: the page is {overflow(page)} px wider than the screen")
                page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
                # A frame, and what is opened has been measured.
                page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
                regions_scroll_and_are_named(page, traps)
                words_are_large_enough(page, 11)
                table_keeps_its_meaning(page)
                check(overflow(page) <= 0, f"{size}, all open: the page is {overflow(page)} px wider than the screen")
                page.evaluate("document.querySelectorAll('details').forEach(details => details.open = false)")
                sorting_works(page)
                filters_work(page, traps)
                theme_works(page)
                named(page)
                check(not faults, "; ".join(faults))
                page.reload()
                page.screenshot(path=folder / f"{size}-{theme}.png")
                page.locator(f"section#{traps[0]}").screenshot(path=folder / f"{size}-{theme}-{traps[0]}.png")
        browser.close()
    print(f"browser: {len(traps)} traps, {len(SIZES)} sizes, light and dark: no fault")


main()
