// What is known of each row, in the order in which points are painted. Names are text, never markup.
const ARRAYS = { u2: Uint16Array, u4: Uint32Array, f4: Float32Array, u1: Uint8Array, i4: Int32Array };
const OUTCOMES = { right: 0, close: 1, wrong: 2 };

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function readRows() {
  const stored = JSON.parse(document.getElementById("map-columns").textContent);
  const rows = { ...stored, count: stored.rowIds.length };
  for (const [name, column] of Object.entries(stored.columns)) {
    rows[name] = new ARRAYS[column.type](bytesOf(column.data).buffer);
  }
  if (rows.label && rows.predicted) rows.outcome = outcomes(rows);
  return rows;
}

function outcomes(rows) {
  const outcome = new Uint8Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    outcome[i] = rows.label[i] === rows.predicted[i] ? OUTCOMES.right : rows.rank[i] <= rows.topK ? OUTCOMES.close : OUTCOMES.wrong;
  }
  return outcome;
}

// Newlines and direction marks would let a name leave its line.
function plainText(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
}

// Cut in the middle: paths and numbered names differ at the end.
function shortText(text, most) {
  const line = plainText(text);
  const tail = Math.floor((most - 1) / 3);
  return line.length > most ? line.slice(0, most - 1 - tail) + "…" + line.slice(line.length - tail) : line;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function percentText(fraction) {
  return (100 * fraction).toFixed(1) + "\u00a0%";
}

function countText(number) {
  return number.toLocaleString("en-US");
}
