// Tables of class `sortable`: a click, or Enter, on a header sorts by its column. Without this they are tables.
function sortable(table) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.append(...(header.querySelector("p") ?? header).childNodes);
    header.replaceChildren(button);
    const key = (row) => row.cells[column].textContent.trim();
    const number = (row) => parseFloat(key(row));
    const compare = (a, b) => isNaN(number(a)) || isNaN(number(b))
      ? key(a).localeCompare(key(b), "en", { numeric: true }) : number(a) - number(b);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => (up ? 1 : -1) * compare(a, b)));
    });
  });
}

// What the theme leaves without a name, or with one that is not what is read.
function name() {
  const all = (selector) => document.querySelectorAll(selector);
  all("article summary[aria-label], .search-button-field").forEach((box) => box.removeAttribute("aria-label"));
  all(".toctree-toggle").forEach((toggle) => {
    const page = toggle.closest("li").querySelector("a").textContent;
    toggle.closest("summary").setAttribute("aria-label", `Pages under ${page}`);
  });
  all(".theme-switch-button i").forEach((icon) => icon.removeAttribute("title"));
  all(".citation-list").forEach((list) => list.removeAttribute("role"));
  all(".pst-scrollable-table-container, .bd-article pre, .bd-article .math, .text_html").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;  // scrolled with the arrow keys
  });
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.sortable").forEach(sortable);
  name();
});
