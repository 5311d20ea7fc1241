// The rows chosen with the lasso, the box or a click: what they are, and a file of them.
const LISTED = 60;

// A spreadsheet runs a cell that begins so; an apostrophe makes it text. Plain numbers stay numbers.
function csvCell(value) {
  let text = String(value);
  if (/^[=+\-@\t\r\n]/.test(text) && !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) text = "'" + text;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function selectionCsv(rows, plot, selected) {
  const lines = ["row_id,label,predicted,probability,x,y"];
  for (const row of selected) {
    lines.push([
      rows.rowIds[row],
      rows.label ? rows.classes[rows.label[row]] : "",
      rows.predicted ? rows.classes[rows.predicted[row]] : "",
      rows.probability ? rows.probability[row].toPrecision(6) : "",
      plot.x[row].toPrecision(7),
      plot.y[row].toPrecision(7),
    ].map(csvCell).join(","));
  }
  return lines.join("\r\n") + "\r\n";
}

function download(name, blob) {
  const link = element("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function makeSelection(rows, plot, thumbnails) {
  const panel = document.getElementById("selection");
  let selected = [];

  function makeUp() {
    const counts = new Map();
    for (const row of selected) counts.set(rows.label[row], (counts.get(rows.label[row]) || 0) + 1);
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    const items = sorted.slice(0, 12).map(([code, count]) => {
      const item = element("li");
      const swatch = element("span", "swatch");
      swatch.style.background = swatch.style.borderColor = rows.colours[code];
      item.append(swatch, element("span", "name", shortText(rows.classes[code], 40)), element("span", "soft", `${countText(count)} (${percentText(count / selected.length)})`));
      return item;
    });
    if (sorted.length > 12) items.push(element("li", "soft", `and ${sorted.length - 12} more classes`));
    return items;
  }

  function card(row) {
    const button = element("button");
    button.type = "button";
    const picture = thumbnails.canvasOf(row, 56);
    if (picture) button.append(picture);
    button.append(element("span", "", shortText(rows.rowIds[row], 60)));
    if (rows.label) button.append(element("span", "soft", shortText(rows.classes[rows.label[row]], 40)));
    if (rows.outcome && rows.label[row] !== rows.predicted[row]) {
      button.append(element("span", "wrong", "taken for " + shortText(rows.classes[rows.predicted[row]], 40)));
    }
    button.title = describe(rows, row).map(([name, value]) => `${name}: ${value}`).join("\n");
    button.addEventListener("click", () => plot.ring(row));
    const item = element("li");
    item.append(button);
    return item;
  }

  function refresh() {
    // Wrong rows are painted last and listed first.
    selected = Array.from(plot.source.selected.indices).sort((a, b) => b - a);
    panel.hidden = !selected.length;
    if (!selected.length) return;
    document.getElementById("selection-title").textContent = `${countText(selected.length)} row${selected.length > 1 ? "s" : ""} selected`;
    document.getElementById("make-up").replaceChildren(...(rows.label ? makeUp() : []));
    document.getElementById("selected-rows").replaceChildren(...selected.slice(0, LISTED).map(card));
    document.getElementById("selection-note").textContent =
      selected.length > LISTED ? `The first ${LISTED} are listed${rows.outcome ? ", wrong ones before right ones" : ""}; the file holds all ${countText(selected.length)}.` : "";
  }

  plot.source.selected.properties.indices.change.connect(refresh);
  document.getElementById("clear").addEventListener("click", () => { plot.source.selected.indices = []; });
  document.getElementById("export").addEventListener("click", () => {
    download("rows.csv", new Blob([selectionCsv(rows, plot, selected)], { type: "text/csv;charset=utf-8" }));
  });
}
