// Colour and legend: what colour means, and which of its values are hidden.
const MANY = 20;

function colourModes(rows) {
  const modes = {};
  const classes = { names: rows.classes, colours: rows.colours };
  if (rows.mode) modes.column = { ...rows.mode, codes: rows.colouring };
  if (rows.label) modes.label = { title: "Class", ...classes, codes: rows.label };
  if (rows.predicted) modes.predicted = { title: "Predicted class", ...classes, codes: rows.predicted };
  if (rows.outcome) modes.outcome = outcomeMode(rows);
  for (const mode of Object.values(modes)) {
    mode.hidden = new Set();
    mode.counts = new Uint32Array(mode.names.length);
    for (const code of mode.codes) mode.counts[code] += 1;
  }
  return modes;
}

function outcomeMode(rows) {
  const several = rows.topK > 1;
  const codes = several ? rows.outcome : rows.outcome.map((code) => (code === OUTCOMES.right ? 0 : 1));
  const names = several ? ["right", `wrong, in the top ${rows.topK}`, `wrong, beyond the top ${rows.topK}`] : ["right", "wrong"];
  const colours = several ? rows.outcomeColours : [rows.outcomeColours[0], rows.outcomeColours[2]];
  return { title: "Outcome", names, colours, codes };
}

function makeLegend(rows, plot) {
  const modes = colourModes(rows);
  const select = document.getElementById("colour-by");
  const list = document.getElementById("legend");
  const search = document.getElementById("legend-search");
  const testOnly = document.getElementById("test-only");
  const wrongOnly = document.getElementById("wrong-only");
  let current = null;

  function passes(row) {
    if (testOnly.checked && !rows.test[row]) return false;
    if (wrongOnly.checked && rows.label[row] === rows.predicted[row]) return false;
    for (const mode of Object.values(modes)) if (mode.hidden.size && mode.hidden.has(mode.codes[row])) return false;
    return true;
  }

  function refresh() {
    const shown = plot.show(passes);
    document.getElementById("showing").textContent = `${countText(shown)} of ${countText(rows.count)} points shown`;
    for (const button of list.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(!current.hidden.has(Number(button.dataset.code))));
    }
  }

  function entry(code) {
    const button = element("button");
    button.type = "button";
    button.dataset.code = code;
    button.title = plainText(current.names[code]);
    const swatch = element("span", "swatch");
    swatch.style.background = swatch.style.borderColor = current.colours[code];
    button.append(swatch, element("span", "name", shortText(current.names[code], 40)), element("span", "count", countText(current.counts[code])));
    const item = element("li");
    item.append(button);
    return item;
  }

  function choose(name) {
    current = modes[name];
    plot.paint(Float32Array.from(current.codes), current.colours);
    search.value = "";
    search.hidden = current.names.length <= MANY;
    list.replaceChildren(...current.names.map((_, code) => entry(code)));
    document.getElementById("legend-title").textContent = current.title;
    refresh();
  }

  function toggle(code) {
    if (!current.hidden.delete(code)) current.hidden.add(code);
    refresh();
  }

  function isolate(code) {
    current.hidden = new Set(current.names.map((_, other) => other).filter((other) => other !== code));
    refresh();
  }

  function showAll() {
    for (const mode of Object.values(modes)) mode.hidden.clear();
    testOnly.checked = wrongOnly.checked = false;
    refresh();
  }

  function filterNames() {
    const wanted = search.value.toLowerCase();
    for (const item of list.children) item.hidden = !item.firstChild.title.toLowerCase().includes(wanted);
  }

  const code = (event) => event.target.closest("button") && Number(event.target.closest("button").dataset.code);
  list.addEventListener("click", (event) => code(event) !== null && toggle(code(event)));
  list.addEventListener("dblclick", (event) => code(event) !== null && isolate(code(event)));
  search.addEventListener("input", filterNames);
  document.getElementById("show-all").addEventListener("click", showAll);
  testOnly.addEventListener("change", refresh);
  wrongOnly.addEventListener("change", refresh);
  testOnly.parentElement.hidden = !rows.test;
  wrongOnly.parentElement.hidden = !rows.outcome;
  document.getElementById("filters").hidden = !rows.test;
  for (const [name, mode] of Object.entries(modes)) {
    const option = element("option", "", mode.title);
    option.value = name;
    select.append(option);
  }
  select.addEventListener("change", () => choose(select.value));
  const first = Object.keys(modes)[0];
  document.getElementById("colour-control").hidden = Object.keys(modes).length < 2;
  document.getElementById("legend-control").hidden = !first;
  if (first) choose(first);
  else refresh();
  return { showAll };
}
