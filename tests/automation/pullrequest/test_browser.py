"""The HTML in a real browser: 360 and 1440 pixels wide, light and dark; nothing sticks out, contrast is enough."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import browser
import cases

from automation.pullrequest import model, web

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PROBE = """
<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const light = c => { const [r, g, b] = c.match(/\\d+/g).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 }); return 0.2126*r + 0.7152*g + 0.0722*b };
  const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (!/, 0\\)$/.test(c)) return c } return "rgb(255, 255, 255)" };
  let least = 99;
  for (const e of document.querySelectorAll("h1, h2, h3, p, li, td, th, summary")) {
    if (!e.textContent.trim()) continue;
    const a = light(getComputedStyle(e).color), b = light(back(e));
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)); }
  const out = document.createElement("pre"); out.id = "probe"; out.hidden = true;
  out.textContent = JSON.stringify({ wide: document.documentElement.scrollWidth, view: innerWidth, least,
    dark: matchMedia("(prefers-color-scheme: dark)").matches, ran: !!window.hacked,
    headings: [...document.querySelectorAll("h1, h2, h3")].map(e => e.tagName),
    unnamed: document.querySelectorAll("th:empty, section:not([aria-label]), .scroll:not([aria-label])").length });
  document.body.append(out);
});
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("which", ["plain", "hostile", "large"])
def test_in_a_browser(which: str, width: int, dark: bool, tmp_path: Path) -> None:  # noqa: FBT001
    made = {"plain": cases.report, "hostile": cases.hostile, "large": lambda: cases.large(100)}[which]()
    text = web.render(model.pages([made])).replace("alert(", "window.hacked=(")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', text)
    assert policy
    page = tmp_path / "page.html"
    page.write_text(text.replace(policy[0], "").replace("</head>", PROBE + "</head>"), encoding="utf-8")
    found = browser.visit(str(CHROMIUM), page, width, dark=dark, shot=tmp_path / "shot.png")
    assert found["view"] == width
    assert found["wide"] <= width, "the page is wider than the screen"
    assert found["least"] >= 4.5, "text has too little contrast (WCAG 2.2, 1.4.3)"
    assert found["dark"] is dark
    assert found["ran"] is False
    assert found["unnamed"] == 0
    assert found["headings"][:2] == ["H1", "H2"]
