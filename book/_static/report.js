// Tables of class `sortable`: a click, or Enter, on a header sorts by its column. Without this they are tables.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const button = document.createElement("button");
      button.append(...(header.querySelector("p") ?? header).childNodes);
      header.replaceChildren(button);
      button.addEventListener("click", () => {
        const up = header.getAttribute("aria-sort") !== "ascending";
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", up ? "ascending" : "descending");
        const key = (row) => row.cells[column].textContent.trim();
        const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true })
          || 0);
        const numbers = rows.every((row) => !isNaN(parseFloat(key(row))) || key(row) === "–");
        if (numbers) rows.sort((a, b) => (parseFloat(key(a)) || -Infinity) - (parseFloat(key(b)) || -Infinity));
        body.append(...(up ? rows : rows.reverse()));
      });
    });
  }
  // What scrolls can be reached with the keyboard.
  const scrolls = (box) => box.scrollWidth > box.clientWidth;
  for (const box of document.querySelectorAll(".pst-scrollable-table-container, .bd-article pre")) {
    if (scrolls(box)) box.tabIndex = 0;
  }
});
