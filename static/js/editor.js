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

  // Browsers word it differently: all say a line or a position.
  function lineOf(message) {
    const line = /line (\d+)/.exec(message);
    if (line) return Number(line[1]);
    const at = /position (\d+)/.exec(message);
    return at ? text.value.slice(0, Number(at[1])).split("\n").length : text.value.split("\n").length;
  }

  function check() {
    let wrong = "";
    try {
      if (!plain.checked) JSON.parse(text.value);
    } catch (error) {
      wrong = `✕ line ${lineOf(error.message)}: ${error.message.replace(/,? ?\(?(in JSON )?at (position|line).*$/, "")}`;
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
  if (Number(text.dataset.line)) select(Number(text.dataset.line));
})();
