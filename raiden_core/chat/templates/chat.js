"use strict";
(() => {
  const token = document.querySelector("meta[name=raiden-token]").content;
  const models = JSON.parse(document.body.dataset.models);
  const talk = document.getElementById("talk");
  const text = document.getElementById("text");
  const send = document.getElementById("send");
  const form = document.getElementById("say");

  const make = (parent, kind, name, words = "") => {
    const element = document.createElement(kind);
    element.className = name;
    element.textContent = words;
    parent.append(element);
    return element;
  };
  const post = (path, body) =>
    fetch(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Raiden-Token": token }, body: JSON.stringify(body) });

  async function* lines(response) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const part of parts) if (part) yield JSON.parse(part);
    }
  }

  async function say(words) {
    make(talk, "p", "turn user", words);
    const replies = make(talk, "div", "replies");
    const places = {};
    for (const model of models) {
      const box = make(replies, "div", "turn model");
      if (models.length > 1) make(box, "b", "", model);
      places[model] = { reasoning: make(box, "p", "thought"), reply: make(box, "p", "") };
    }
    let done = false;
    try {
      const response = await post("/say", { text: words });
      if (!response.ok) throw new Error(`${response.status}: reload the page`);
      for await (const line of lines(response)) {
        if (line.error) throw new Error(line.error);
        if (line.done) {
          done = true;
          for (const model of line.empty) places[model].reply.textContent = "(no answer text)";
        } else {
          const place = places[line.model][line.kind];
          place.textContent = (place.textContent + line.text).trimStart();
          window.scrollTo(0, document.body.scrollHeight);
        }
      }
      if (!done) throw new Error("the reply broke off");
    } catch (error) {
      make(replies, "p", "turn error", `${error.message} (this was not kept)`);
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || send.disabled) return;
    send.disabled = true;
    text.value = "";
    await say(words);
    send.disabled = false;
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  document.getElementById("reset").addEventListener("click", async () => {
    if ((await post("/reset", {})).ok) talk.replaceChildren();
  });
  document.getElementById("reasoning").addEventListener("change", (event) => {
    document.body.classList.toggle("thinking", event.target.checked);
  });
  text.focus();
})();
