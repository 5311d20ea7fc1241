// Thumbnails lie in sheets that stay base64 text until one of theirs is looked at.
function makeThumbnails(rows) {
  const layout = rows.thumbnails;
  const sheets = new Map();

  function sheet(number) {
    if (!sheets.has(number)) {
      const image = new Image();
      image.src = `data:${layout.mediaType};base64,` + document.getElementById(`sheet-${number}`).textContent;
      sheets.set(number, image.decode().then(() => image));
    }
    return sheets.get(number);
  }

  function draw(canvas, row) {
    const slot = rows.slot[row];
    const within = slot % layout.perSheet;
    const left = (within % layout.perRow) * layout.width;
    const top = Math.floor(within / layout.perRow) * layout.height;
    return sheet(Math.floor(slot / layout.perSheet)).then((image) => {
      // The pointer may have moved on while the sheet was decoded.
      if (canvas.dataset.row !== String(row)) return;
      canvas.getContext("2d").drawImage(image, left, top, layout.width, layout.height, 0, 0, layout.width, layout.height);
    });
  }

  // Returns a canvas of the row's thumbnail, `side` CSS pixels at most, or null where it has none.
  function canvasOf(row, side) {
    if (!layout || rows.slot[row] < 0) return null;
    const canvas = element("canvas", rows.pixelated ? "pixelated" : "");
    canvas.width = layout.width;
    canvas.height = layout.height;
    const scale = side / Math.max(layout.width, layout.height);
    canvas.style.width = `${Math.round(layout.width * scale)}px`;
    canvas.style.height = `${Math.round(layout.height * scale)}px`;
    canvas.dataset.row = String(row);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "row " + shortText(rows.rowIds[row], 60));
    draw(canvas, row);
    return canvas;
  }

  return { canvasOf };
}
