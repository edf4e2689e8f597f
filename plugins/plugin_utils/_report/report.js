"use strict";
// Sorts the tables of class "sortable" by their column headers, and filters them by the form before them. Without this, the report can be read all the same.
// Of a long table only the first rows are shown, since a browser takes long to lay out thousands. On paper all of them are.

const LIMIT = 200;
const collator = new Intl.Collator("en", { numeric: true });

function enhance(table) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];
  const form = document.querySelector(`form[data-table="${table.id}"]`);
  const more = document.createElement("button");
  let limit = LIMIT;
  let rows = [...body.rows].map((row) => ({ row, cells: [...row.cells], text: row.textContent.toLowerCase() }));

  const label = (cell) => (cell.querySelector(".status > :last-child") ?? cell).textContent.trim();

  // What a cell is sorted by: the rank of a status, a number, or text. What is not known comes last.
  const key = (cell, numeric) => {
    const text = cell.dataset.sort ?? cell.textContent.trim();
    return text === "" ? null : numeric || cell.dataset.sort ? Number(text) : text;
  };
  const compare = (a, b) => {
    if (a === null || b === null) return 0;
    return typeof a === "number" ? a - b : collator.compare(a, b);
  };

  const fits = () => {
    if (!form) return () => true;
    const wanted = [...form.querySelectorAll("select")].filter((select) => select.value).map((select) => [select.dataset.column, select.value]);
    const words = form.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    return ({ cells, text }) => wanted.every(([column, value]) => label(cells[column]) === value) && words.every((word) => text.includes(word));
  };

  const show = () => {
    const fit = fits();
    let found = 0;
    for (const entry of rows) {
      const wanted = fit(entry);
      found += wanted;
      entry.row.hidden = !wanted;
      entry.row.classList.toggle("later", wanted && found > limit);
    }
    if (form) form.querySelector("output").textContent = `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    more.hidden = found <= limit;
    more.textContent = `Show all ${found.toLocaleString("en")} rows`;
  };

  const sort = (header, column) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const numeric = header.classList.contains("number");
    const keyed = rows.map((entry) => [key(entry.cells[column], numeric), entry]);
    keyed.sort(([a], [b]) => (a === null) - (b === null) || direction * compare(a, b));
    rows = keyed.map(([, entry]) => entry);
    headers.forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    show();
    body.replaceChildren(...rows.map(({ row }) => row));
  };

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => sort(header, column));
    header.append(button);
  });

  more.type = "button";
  more.className = "more";
  more.addEventListener("click", () => {
    limit = Infinity;
    show();
    table.parentElement.focus();
  });
  table.parentElement.after(more);

  if (form) {
    let timer;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(show, 100);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }
  show();
}

document.querySelectorAll("table.sortable").forEach(enhance);
