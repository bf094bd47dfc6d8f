// Puts markup of ours into the page; `data-pick` elements tell Python that they were chosen, `.fw-plot` elements read out their values.
function readOut(plot, event) {
  const box = plot.getBoundingClientRect();
  const told = (plot.told ??= JSON.parse(plot.dataset.readout));
  const last = told.lines[0].values.length - 1;
  const second = Math.max(0, Math.min(last, Math.round(((event.clientX - box.left) / box.width) * last)));
  const values = told.lines.map(({ name, unit, values }) => `${name} ${values[second] === null ? "–" : `${values[second]} ${unit}`}`);
  const at = new Date((told.start + second) * 1000).toISOString().slice(11, 19);
  let tip = plot.querySelector(".fw-tip");
  if (!tip) {
    plot.append((tip = Object.assign(document.createElement("span"), { className: "fw-tip" })));
    plot.append(Object.assign(document.createElement("i"), { className: "fw-hair" }));
  }
  tip.textContent = `${at}   ${values.join("   ")}`;
  tip.classList.toggle("fw-left", second > last / 2);
  plot.querySelector(".fw-hair").style.left = `${(100 * second) / last}%`;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".fw");
  if (root.shown !== data.html) {
    root.innerHTML = root.shown = data.html;
    if (root.pointer) root.querySelectorAll(".fw-plot").forEach((plot, index) => index === root.pointer.plot && readOut(plot, root.pointer));
  }
  root.onclick = (event) => {
    const hit = event.target.closest("[data-pick]");
    if (hit) setTriggerValue("picked", hit.dataset.pick);
  };
  root.onpointermove = (event) => {
    const plot = event.target.closest(".fw-plot");
    root.querySelectorAll(".fw-tip, .fw-hair").forEach((each) => each.parentElement !== plot && each.remove());
    root.pointer = plot && { clientX: event.clientX, plot: [...root.querySelectorAll(".fw-plot")].indexOf(plot) };
    if (plot) readOut(plot, event);
  };
  root.onpointerleave = () => {
    root.pointer = null;
    root.querySelectorAll(".fw-tip, .fw-hair").forEach((each) => each.remove());
  };
}
