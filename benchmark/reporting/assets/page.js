"use strict";
// A click on the head of a column sorts its table, a second one the other way round. Without this script all is there.

const MISSING = new Set(["", "-", "n/a"]);
const NUMBER = /^[<+-]?\s*(\d[\d,]*(\.\d+)?|\.\d+)(e[+-]?\d+)?/i;

function read(cell) {
  const text = cell.textContent.trim();
  const found = NUMBER.exec(text);
  const number = found && Number(found[0].replace(/[<,\s]/g, ""));
  return { missing: MISSING.has(text), number, text };
}

// What is missing is last in both directions; numbers stand before words, and those that start alike go by their text.
function compare(one, other, direction) {
  if (one.missing || other.missing) return one.missing - other.missing;
  if (one.number !== null && other.number !== null && one.number !== other.number) {
    return direction * (one.number - other.number);
  }
  if ((one.number === null) !== (other.number === null)) return direction * (one.number === null ? 1 : -1);
  return direction * one.text.localeCompare(other.text, "en", { numeric: true });
}

function sort(table, head) {
  const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, value: read(row.cells[head.cellIndex]) }));
  rows.sort((one, other) => compare(one.value, other.value, direction));
  body.append(...rows.map(({ row }) => row));
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, head));
  }
}
