"use strict";
// Sorts the tables of class "sortable" by their column headers, and filters them by the form before them. Without this, the report can be read all the same.

const collator = new Intl.Collator("en", { numeric: true });

function makeSortable(table) {
  const body = table.tBodies[0];
  const headers = [...table.tHead.rows[0].cells];

  // What a cell is sorted by: the rank of a status, a number, or text. What is not known comes last.
  const key = (cell, numeric) => {
    const text = cell.dataset.sort ?? cell.textContent.trim();
    return text === "" ? null : numeric || cell.dataset.sort ? Number(text) : text;
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : collator.compare(a, b));

  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const numeric = header.classList.contains("number");
      const keyed = [...body.rows].map((row) => [key(row.cells[column], numeric), row]);
      keyed.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : direction * compare(a, b)));
      body.append(...keyed.map(([, row]) => row));
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    });
  });
}

function makeFilter(form) {
  const table = document.getElementById(form.dataset.table);
  const rows = [...table.tBodies[0].rows].map((row) => ({
    row,
    cells: [...row.cells].map((cell) => (cell.querySelector(".status > :last-child") ?? cell).textContent.trim()),
    text: row.textContent.toLowerCase(),
  }));
  const selects = [...form.querySelectorAll("select")];
  const search = form.querySelector("input");
  const output = form.querySelector("output");

  const apply = () => {
    const wanted = selects.filter((select) => select.value).map((select) => [select.dataset.column, select.value]);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { row, cells, text } of rows) {
      const fits = wanted.every(([column, value]) => cells[column] === value) && words.every((word) => text.includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    output.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };

  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 150);
  });
  selects.forEach((select) => select.addEventListener("change", apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("form.filters").forEach(makeFilter);
