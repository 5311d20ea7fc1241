// Find rows by their id: what equals comes first, then what begins so, then what contains it.
const MOST_MATCHES = 50;

function findRows(rowIds, wanted) {
  const text = wanted.trim().toLowerCase();
  if (!text) return { found: [], total: 0 };
  const ranked = [[], [], []];
  let total = 0;
  for (let row = 0; row < rowIds.length; row++) {
    const at = rowIds[row].toLowerCase().indexOf(text);
    if (at < 0) continue;
    total += 1;
    ranked[rowIds[row].length === text.length ? 0 : at === 0 ? 1 : 2].push(row);
  }
  return { found: ranked.flat().slice(0, MOST_MATCHES), total };
}

function makeSearch(rows, plot) {
  const input = document.getElementById("search");
  const list = document.getElementById("matches");
  const note = document.getElementById("search-note");

  function go(row) {
    plot.goTo(row);
    note.textContent = `Row ${shortText(rows.rowIds[row], 40)} is ringed` + (plot.visible[row] ? "." : "; its point is hidden by the filters.");
  }

  function offer(row) {
    const button = element("button", "", shortText(rows.rowIds[row], 60));
    button.type = "button";
    button.title = plainText(rows.rowIds[row]);
    button.addEventListener("click", () => go(row));
    const item = element("li");
    item.append(button);
    return item;
  }

  function look() {
    const { found, total } = findRows(rows.rowIds, input.value);
    list.replaceChildren(...found.map(offer));
    list.hidden = found.length < 2;
    if (!input.value.trim()) {
      plot.ring(null);
      note.textContent = "";
    } else if (!total) note.textContent = "No row has this in its id.";
    else note.textContent = total > found.length ? `${countText(total)} rows; the first ${found.length} are listed.` : `${countText(total)} row${total > 1 ? "s" : ""}; Enter goes to the first.`;
  }

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    const { found } = findRows(rows.rowIds, input.value);
    if (event.key === "Enter" && found.length) go(found[0]);
  });
}
