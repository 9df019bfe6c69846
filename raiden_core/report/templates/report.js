"use strict";
(() => {
  const form = document.querySelector(".filters");
  const examples = [...document.querySelectorAll(".example")];
  if (form && examples.length) {
    form.hidden = false;
    const apply = () => {
      const wanted = new FormData(form);
      const text = String(wanted.get("text")).trim().toLowerCase();
      let shown = 0;
      for (const one of examples) {
        const fits = ["outcome", "set", "dimension"].every((key) => !wanted.get(key) || one.dataset[key] === wanted.get(key));
        one.hidden = !(fits && (!text || one.textContent.toLowerCase().includes(text)));
        shown += one.hidden ? 0 : 1;
      }
      form.querySelector("output").textContent = shown + " of " + examples.length;
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  for (const chart of document.querySelectorAll("svg[data-probe]")) {
    const probe = JSON.parse(chart.dataset.probe);
    const cursor = chart.querySelector(".cursor");
    const words = chart.parentElement.querySelector(".probe");
    const show = (event) => {
      const box = chart.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
      let best = 0;
      probe.x.forEach((place, index) => {
        if (Math.abs(place - x) < Math.abs(probe.x[best] - x)) best = index;
      });
      cursor.setAttribute("x1", probe.x[best]);
      cursor.setAttribute("x2", probe.x[best]);
      cursor.setAttribute("visibility", "visible");
      const values = probe.lines.filter((line) => line.values[best]).map((line) => line.name + " " + line.values[best]);
      words.textContent = "step " + probe.step[best] + ": " + values.join(" · ");
    };
    chart.addEventListener("pointermove", show);
    chart.addEventListener("pointerdown", show);
    chart.addEventListener("pointerleave", () => {
      cursor.setAttribute("visibility", "hidden");
      words.textContent = "";
    });
  }

  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details:not([open])")) {
      fold.open = true;
      fold.dataset.printed = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const fold of document.querySelectorAll("details[data-printed]")) {
      fold.open = false;
      delete fold.dataset.printed;
    }
  });
})();
