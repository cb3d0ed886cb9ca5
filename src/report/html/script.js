"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const told = () => {
    theme.setAttribute("aria-pressed", String(dark()));
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", told);
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; told(); });
  told();

  // Only what can scroll is a region to be focused; what can changes with the width, and with what is opened.
  const region = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth;
    const set = { tabindex: "0", role: "region", "aria-label": box.dataset.name };
    for (const [name, value] of Object.entries(set)) scrolls ? box.setAttribute(name, value) : box.removeAttribute(name);
  };
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => region(entry.target)));
  document.querySelectorAll(".scroll").forEach((box) => sizes.observe(box));

  const table = document.getElementById("summary");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];

  const key = (row, at, kind) => {
    const cell = row.cells[at];
    return kind === "number" ? Number.parseFloat(cell.dataset.sort) : cell.textContent.trim();
  };
  // What has no number comes last, whichever way it is sorted.
  const compare = (a, b, sign) => {
    if (typeof a === "string") return sign * a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (a === b ? 0 : a < b ? -1 : 1);
  };
  const sort = (header, at, kind) => {
    const up = header.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.sort((a, b) => compare(key(a, at, kind), key(b, at, kind), up ? 1 : -1));
    body.append(...rows);
  };
  [...table.tHead.rows[0].cells].forEach((header, at) => {
    const button = header.querySelector("button");
    button.addEventListener("click", () => sort(header, at, button.dataset.kind));
  });

  const section = document.getElementById("section");
  const find = document.getElementById("find");
  const shown = document.getElementById("shown");
  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    for (const row of rows) {
      const here = !section.value || row.dataset.section === section.value;
      row.hidden = !(here && row.textContent.toLowerCase().includes(wanted));
    }
    const left = rows.filter((row) => !row.hidden).length;
    shown.textContent = left === rows.length ? "" : `${left} of ${rows.length} traps`;
  };
  section.addEventListener("change", filter);
  find.addEventListener("input", filter);
})();
