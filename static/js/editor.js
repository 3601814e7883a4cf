// The JSON editor: says while writing what is wrong and in which line; Tab indents, Esc leaves.
(() => {
  const text = document.querySelector("[data-json]");
  if (!text) return;
  const said = document.querySelector("[data-said]");
  const plain = document.querySelector("[data-plain]");

  function select(line) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  }

  // Browsers word an error differently, and not all say where: the first line with which the text
  // before it cannot go on is found by halving.
  function broken(part) {
    try {
      JSON.parse(part);
    } catch (error) {
      const at = /position (\d+)/.exec(error.message);
      if (at) return Number(at[1]) < part.trimEnd().length;
      return !/end of/.test(error.message);
    }
    return false;
  }
  function lineOf() {
    const lines = text.value.split("\n");
    let [low, high] = [1, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (broken(lines.slice(0, middle).join("\n"))) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function check() {
    let wrong = "";
    try {
      if (!plain.checked) JSON.parse(text.value);
    } catch (error) {
      wrong = `✕ line ${lineOf()}: ${error.message.replace(/(, "[^]*| in JSON| at (position|line))[^]*$/, "")}`;
    }
    said.textContent = wrong || (plain.checked ? "Plain text" : "JSON");
    said.className = wrong ? "wrong" : "dim";
    text.setAttribute("aria-invalid", wrong ? "true" : "false");
  }

  let timer = 0;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, 150);
  });
  plain.addEventListener("change", check);
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey) return;
    event.preventDefault();
    text.setRangeText("  ", text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input"));
  });
  // Somebody may have written before this was here.
  if (text.value !== text.defaultValue) check();
  if (Number(text.dataset.line)) select(Number(text.dataset.line));
})();
