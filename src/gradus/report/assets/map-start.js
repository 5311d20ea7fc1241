// Puts the parts together. Until they are, and wherever they cannot be, the picture stands in their place.
function foldPicture() {
  const holder = document.getElementById("static-map");
  const details = element("details");
  details.append(element("summary", "", "The map as a picture"), ...holder.childNodes);
  const save = element("button", "", "Download the picture");
  save.type = "button";
  save.addEventListener("click", () => {
    const picture = document.getElementById("static-picture");
    download("map.png", new Blob([bytesOf(picture.currentSrc.split(",")[1])], { type: "image/png" }));
  });
  details.append(save);
  holder.append(details);
  window.addEventListener("beforeprint", () => { details.open = true; });
}

function bindToolbar(plot) {
  const drags = [...document.querySelectorAll("[data-drag]")];
  for (const button of drags) {
    button.addEventListener("click", () => {
      plot.named(button.dataset.drag).active = true;
      for (const other of drags) other.setAttribute("aria-pressed", String(other === button));
    });
  }
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => (button.dataset.zoom === "all" ? plot.fit() : plot.zoom(Number(button.dataset.zoom))));
  }
}

// A page that is being scrolled is not caught by the map passing under the pointer.
function letScrollingPass(plot) {
  let scrolled = -Infinity;
  window.addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });
  plot.target.addEventListener("wheel", (event) => {
    if (performance.now() - scrolled < 350) event.stopPropagation();
  }, { capture: true, passive: true });
}

async function start() {
  const explorer = document.getElementById("explorer");
  explorer.hidden = false;
  const rows = readRows();
  const plot = await makePlot(rows);
  const thumbnails = makeThumbnails(rows);
  makeTooltip(rows, plot, thumbnails);
  makeLegend(rows, plot);
  makeSearch(rows, plot);
  makeSelection(rows, plot, thumbnails);
  bindToolbar(plot);
  letScrollingPass(plot);
  foldPicture();
  document.documentElement.dataset.map = "ready";
}

start().catch((reason) => {
  document.getElementById("explorer").hidden = true;
  console.error("The interactive map could not be shown:", reason);
});
