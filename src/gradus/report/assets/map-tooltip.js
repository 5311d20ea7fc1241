// The card beside the pointer: built from elements and text, so that no name is ever read as markup.
function describe(rows, row) {
  const facts = [["row", shortText(rows.rowIds[row], 80)]];
  if (rows.label) facts.push(["label", shortText(rows.classes[rows.label[row]], 60)]);
  if (rows.predicted) {
    facts.push(["predicted", shortText(rows.classes[rows.predicted[row]], 60)]);
    facts.push(["probability", percentText(rows.probability[row])]);
    facts.push(["split", rows.test[row] ? "test" : "training"]);
  }
  return facts;
}

function makeTooltip(rows, plot, thumbnails) {
  const card = document.getElementById("tooltip");
  let current = null;
  let pressed = false;

  function nearest(indices, geometry) {
    const distance = (i) => (plot.x[i] - geometry.x) ** 2 + (plot.y[i] - geometry.y) ** 2;
    return indices.reduce((best, i) => (distance(i) < distance(best) ? i : best));
  }

  function fill(row, others) {
    const list = element("dl");
    for (const [name, value] of describe(rows, row)) list.append(element("dt", "", name), element("dd", "", value));
    const picture = thumbnails.canvasOf(row, 96);
    card.replaceChildren(...(picture ? [picture] : []), list);
    if (others > 0) card.append(element("p", "note", `and ${countText(others)} more here`));
    card.dataset.row = rows.rowIds[row];
  }

  function place(geometry) {
    const box = plot.target;
    const right = box.offsetLeft + geometry.sx + 16;
    const below = box.offsetTop + geometry.sy + 16;
    const fits = right + card.offsetWidth <= box.offsetLeft + box.clientWidth;
    const fitsBelow = below + card.offsetHeight <= box.offsetTop + box.clientHeight;
    card.style.left = `${Math.max(0, fits ? right : right - card.offsetWidth - 32)}px`;
    card.style.top = `${Math.max(0, fitsBelow ? below : below - card.offsetHeight - 32)}px`;
  }

  function hide() {
    card.hidden = true;
    current = null;
  }

  function hover(indices, geometry) {
    if (pressed || !indices.length) return hide();
    const row = nearest(Array.from(indices), geometry);
    if (row !== current) fill(row, indices.length - 1);
    current = row;
    card.hidden = false;
    place(geometry);
  }

  plot.target.addEventListener("pointerleave", hide);
  plot.target.addEventListener("pointerdown", () => { pressed = true; hide(); }, { capture: true });
  window.addEventListener("pointerup", () => { pressed = false; }, { capture: true });
  window.addEventListener("pointercancel", () => { pressed = false; }, { capture: true });
  window.gradusHover = hover;
  return { hide };
}
