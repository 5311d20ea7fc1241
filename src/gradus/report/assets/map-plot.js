// The plot: which points are drawn, in which colour, and which part of the map is looked at.
const MARGIN = 0.04;

async function makePlot(rows) {
  const target = document.getElementById("plot");
  const item = JSON.parse(document.getElementById("map-figure").textContent);
  const views = await Bokeh.embed.embed_item(item, target);
  const view = Array.isArray(views) ? views[0] : [...views][0];
  const plot = view.model;
  const named = (name) => plot.document.get_model_by_name(name);
  const source = named("source");
  const points = named("points");
  const { x, y } = { x: source.data.x, y: source.data.y };
  const visible = new Uint8Array(rows.count).fill(1);

  function paint(codes, colours) {
    named("colours").setv({ palette: colours, low: -0.5, high: colours.length - 0.5 });
    source.data = { ...source.data, code: codes };
  }

  function show(test) {
    let shown = 0;
    const mask = new Array(rows.count);
    for (let i = 0; i < rows.count; i++) {
      mask[i] = test(i);
      visible[i] = mask[i] ? 1 : 0;
      shown += visible[i];
    }
    named("shown").booleans = shown === rows.count ? null : mask;
    const selected = source.selected.indices;
    if (selected.some((i) => !visible[i])) source.selected.indices = selected.filter((i) => visible[i]);
    return shown;
  }

  // The same scale across and up, whatever the shape of the box.
  function look(centreX, centreY, span) {
    const width = target.clientWidth || 1;
    const height = target.clientHeight || 1;
    const unit = span / Math.min(width, height);
    plot.x_range.setv({ start: centreX - (unit * width) / 2, end: centreX + (unit * width) / 2 });
    plot.y_range.setv({ start: centreY - (unit * height) / 2, end: centreY + (unit * height) / 2 });
  }

  function fit() {
    const [lowX, highX] = extent(x);
    const [lowY, highY] = extent(y);
    const width = target.clientWidth || 1;
    const height = target.clientHeight || 1;
    const unit = Math.max((highX - lowX) / width, (highY - lowY) / height) || 1;
    look((lowX + highX) / 2, (lowY + highY) / 2, unit * Math.min(width, height) * (1 + 2 * MARGIN));
  }

  function where() {
    const across = plot.x_range.end - plot.x_range.start;
    const up = plot.y_range.end - plot.y_range.start;
    return { x: (plot.x_range.start + plot.x_range.end) / 2, y: (plot.y_range.start + plot.y_range.end) / 2, span: Math.min(across, up) };
  }

  function zoom(factor) {
    const now = where();
    look(now.x, now.y, now.span * factor);
  }

  function ring(row) {
    named("ring").data = row === null ? { x: [], y: [] } : { x: [x[row]], y: [y[row]] };
  }

  function goTo(row) {
    ring(row);
    const [lowX, highX] = extent(x);
    look(x[row], y[row], Math.min(where().span, (highX - lowX) / 4 || 1));
  }

  // Colours that bokeh takes from Python, not from the style sheet, follow the light or dark scheme here.
  function applyScheme() {
    named("ring_glyph").glyph.line_color = getComputedStyle(document.body).color;
  }

  // While a person drags bokeh paints a part of the points, ringed with grey;
  // here in the points' own colours.
  function colourWhileMoving() {
    const drawn = [...view.renderer_views.values()].find((each) => each.model === points);
    if (drawn && drawn.decimated_glyph) {
      const { fill_color, fill_alpha, size } = points.glyph;
      drawn.decimated_glyph.model.setv({ fill_color, fill_alpha, line_color: null, size: { value: size.value * 1.3 } });
    }
  }

  colourWhileMoving();
  applyScheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyScheme);
  fit();
  let width = target.clientWidth;
  new ResizeObserver(() => {
    if (target.clientWidth === width) return;
    width = target.clientWidth;
    const now = where();
    look(now.x, now.y, now.span);
  }).observe(target);
  return { target, source, named, x, y, visible, paint, show, fit, zoom, ring, goTo };
}

function extent(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
